"""State machines: one readable edge table per life, and `move()`.

An edge that is not in the table does not exist. Each edge names the event it tells (None: silent);
`{kind}` in a name is filled from the subject. The step numbers of a subject are unique rows of
`events`, so two writers cannot both believe they moved it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, update

from app.core.errors import Conflict
from app.core.events import Audience, tell
from app.core.texts import N_


class IllegalMove(Conflict):
    code = "wrong_state"
    message = N_("This is not possible while the %(subject)s is %(state)s.")
    advice = N_("Read it again; its state has changed or does not allow this.")


@dataclass(frozen=True)
class Life:
    """`edges`: (from, to) -> name of the event, and its audience."""

    subject: str
    start: str
    edges: Mapping[tuple[str, str], tuple[str, Audience] | None]

    @property
    def states(self) -> list[str]:
        """Every state once, in the order of the table."""
        return list(dict.fromkeys([self.start, *(state for edge in self.edges for state in edge)]))

    def sources(self, to: str) -> list[str]:
        """The states from which `to` can be reached in one step."""
        return [source for source, target in self.edges if target == to]

    def check(self, source: str, to: str) -> None:
        if (source, to) not in self.edges:
            raise IllegalMove(subject=self.subject, state=source)


def move(
    connection: Connection,
    life: Life,
    table: Table,
    row: Mapping[str, Any],
    to: str,
    *,
    values: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    payment_step: int | None = None,
    actor: str = "",
) -> int:
    """Moves `row` (needs id, state, merchant_id, live; read under lock or not) and tells the edge's event.

    Returns the subject's new step. Raises IllegalMove when the edge does not exist or somebody else
    moved the row first.
    """
    life.check(row["state"], to)
    step = connection.execute(
        update(table)
        .where(table.c.id == row["id"], table.c.state == row["state"])
        .values(state=to, step=table.c.step + 1, **(values or {}))
        .returning(table.c.step)
    ).scalar()
    if step is None:
        raise IllegalMove(subject=life.subject, state=row["state"])
    edge = life.edges[(row["state"], to)]
    if edge is not None:
        name, audience = edge
        tell(
            name,
            subject=(life.subject, row["id"]),
            step=step,
            merchant_id=row["merchant_id"],
            live=row["live"],
            payment_id=row.get("payment_id"),
            payment_step=payment_step,
            audience=audience,
            data={"state": to, **(data or {})},
            actor=actor,
        )
    return step
