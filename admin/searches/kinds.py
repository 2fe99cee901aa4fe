"""The shape of a module on the shelf of searches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from markupsafe import Markup

from app.core.fast import Statement

Row = Mapping[str, Any]
LIMIT = 20  # of each way to be found; one more is asked for, to know whether there are more


@dataclass(frozen=True, slots=True)
class Asked:
    """`typed`: without spaces around. `personal`: whoever asks may look for names and addresses of payers."""

    typed: str
    personal: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found: where it leads, what it is called, and what tells it from others."""

    url: str
    name: str
    state: Markup | str = ""
    amount: str = ""
    more: str = ""
    merchant: str = ""
    when: Markup | str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Things found in the same way. `exact` ones stand in front of those that only begin like what was asked for.

    `more`: there are more than these.
    """

    heading: str
    exact: bool
    hits: Sequence[Hit]
    more: bool = False


def group(heading: str, exact: bool, rows: Sequence[Row], hit: Callable[[Row], Hit]) -> Group:
    """Of rows that were asked for with one more than LIMIT."""
    return Group(heading, exact, [hit(row) for row in rows[:LIMIT]], len(rows) > LIMIT)


class Kind(Protocol):
    """`question()` gives what is asked of the database, None: nothing of this kind is like that. All kinds are asked
    in one round trip, with `given()` of app/payments/find.py as parameters (wanted, end, typed, live, low, high).

    Rows carry `merchant_id`; those are left out for whose merchant somebody lacks PERMISSION.
    """

    @property
    def ORDER(self) -> int: ...
    @property
    def PERMISSION(self) -> str: ...
    def question(self, asked: Asked) -> Statement | None: ...
    def groups(self, asked: Asked, rows: Sequence[Row]) -> list[Group]: ...
