"""Proofs that the figures are what the operations say. See ledger/proof.py for the shape.

Hours in which something changed that was not rolled up yet are left out: they will be, within a minute or so.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping

from app.figures import rows as said
from app.figures.periods import DAYS_OF
from app.figures.roll_up import CURSOR
from app.ledger.proof import Proof, rows
from app.payments.proofs import PROOFS as PAYMENT_PROOFS

_FIGURES = (
    ("money_figures", said.MONEY_KEYS, said.MONEY),
    ("attempt_figures", said.ATTEMPT_KEYS, ("attempts",)),
)

_WAITING = f"""
    SELECT DISTINCT {said.HOUR} FROM operations o JOIN (
        SELECT e.payment_id FROM event_log l JOIN events e ON e.id = l.event_id
        WHERE l.position > coalesce((SELECT position FROM reaction_cursors WHERE reaction = '{CURSOR}'), 0)
        UNION
        SELECT e.payment_id FROM event_queue q JOIN events e ON e.id = q.event_id
    ) w ON w.payment_id = o.payment_id
"""  # noqa: S608 - names of our own


def money_figures_equal_operations(connection: Connection) -> Sequence[RowMapping]:
    """What an hour's figures say was authorised, captured and given back is what its operations say."""
    return _different_hours(connection, *_FIGURES[0], said.money(said.ALL_OPERATIONS))


def attempt_figures_equal_operations(connection: Connection) -> Sequence[RowMapping]:
    """An hour's figures count the attempts to authorise, and what became of them, as its operations do."""
    return _different_hours(connection, *_FIGURES[1], said.attempts(said.ALL_OPERATIONS))


def daily_figures_equal_hourly(connection: Connection) -> Sequence[RowMapping]:
    """A day's figures are the sums of its hours."""
    found: list[RowMapping] = []
    for table, keys, values in _FIGURES:
        sums = ", ".join(f"sum({value})::bigint AS {value}" for value in values)
        hours = f"""
            SELECT date_trunc('day', starts_at, '{DAYS_OF.key}') AS starts_at, {", ".join(keys)}, {sums}
            FROM {table} WHERE span = 'hour' GROUP BY 1, {", ".join(keys)}
            """  # noqa: S608 - names of our own
        found += rows(connection, _differences(table, "day", keys, values, hours))
    return found


def _different_hours(
    connection: Connection, table: str, keys: Sequence[str], values: Sequence[str], operations_say: str
) -> Sequence[RowMapping]:
    rolled_up = f"AND starts_at NOT IN ({_WAITING})"
    return rows(connection, _differences(table, "hour", keys, values, operations_say, rolled_up))


def _differences(
    table: str, span: str, keys: Sequence[str], values: Sequence[str], rows_say: str, more: str = ""
) -> str:
    """SELECT of what differs between a table and `rows_say`: the key, and what either side says."""
    key = ", ".join(("starts_at", *keys))
    figures, others = (", ".join(f"{side}.{value}" for value in values) for side in ("f", "r"))
    return f"""
        SELECT {key}, to_jsonb(f) AS figures_say, to_jsonb(r) AS rows_say
        FROM (SELECT {key}, {", ".join(values)} FROM {table} WHERE span = '{span}') f
        FULL JOIN ({rows_say}) r USING ({key})
        WHERE ({figures}) IS DISTINCT FROM ({others}) {more} LIMIT 20
        """  # noqa: S608 - names of our own


PROOFS: tuple[Proof, ...] = (
    *PAYMENT_PROOFS,
    money_figures_equal_operations,
    attempt_figures_equal_operations,
    daily_figures_equal_hourly,
)
