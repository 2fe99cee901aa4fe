"""The shape of a chart on the shelf, and of what it draws: a table first, and a picture of that table."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from admin.asked import Asked

# A count, minor units of a currency, or a share of a hundred. None: there is nothing to say (no attempts, no share).
Value = int | Decimal | None


@dataclass(frozen=True, slots=True)
class Column:
    """`draw` says whether and how a column is drawn, `tone` in which colour of office.css (k-good, k-calm ...).

    `total` stands for the whole period: it is given and not added up here, since shares and depths do not add up.
    """

    label: str
    kind: Literal["count", "money", "share"]
    draw: Literal["", "bar", "line"] = ""
    tone: str = "quiet"
    total: Value = None


@dataclass(frozen=True, slots=True)
class Row:
    """`key` stands for the label in CSV files (an ISO date); `url` leads to what is behind the row."""

    label: str
    values: Sequence[Value]
    short: str = ""  # below a bar of the picture
    key: str = ""
    url: str | None = None
    more: str = ""  # a second line


@dataclass(frozen=True, slots=True)
class Drawn:
    """A `series` is drawn along time; in `ranks` each row has a bar of its own."""

    title: str
    says: str  # one sentence: what is counted
    shape: Literal["series", "ranks"]
    first: str  # heads the column of labels
    columns: Sequence[Column]
    rows: Sequence[Row]
    currency: str = ""
    empty: str = ""  # what to say when there are no rows

    @property
    def has_values(self) -> bool:
        return any(value for row in self.rows for value in row.values)


class Chart(Protocol):
    """`ORDER`: its place on the page. `PERMISSION`: who sees it; without it, it is not there."""

    @property
    def ORDER(self) -> int: ...
    @property
    def PERMISSION(self) -> str: ...
    def drawn(self, asked: Asked) -> Drawn: ...
