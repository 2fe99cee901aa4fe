"""How charts are put together: columns over time, and ranks of what attempts to authorise have in common."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from flask_babel import gettext as _
from sqlalchemy import RowMapping

from admin.asked import Asked
from admin.charts.kinds import Column, Drawn, Row, Value

Draw = Literal["", "bar", "line"]


@dataclass(frozen=True, slots=True)
class Over:
    """A column with its value in each bar."""

    column: Column
    values: Sequence[Value]


def amounts(asked: Asked, label: str, figure: str, draw: Draw = "", tone: str = "quiet") -> Over:
    """Amounts of a figure in the currency that is shown."""
    name = f"{figure}_amount"
    total = asked.total(name, currency=asked.currency)
    return Over(Column(label, "money", draw, tone, total), asked.series(name))


def counts(asked: Asked, label: str, figure: str) -> Over:
    """How many there were in that currency."""
    name = f"{figure}_count"
    return Over(Column(label, "count", total=asked.total(name, currency=asked.currency)), asked.series(name))


def over_time(asked: Asked, *columns: Over, title: str, says: str, statuses: Sequence[str] = ()) -> Drawn:
    """One row per bar; each leads to the payments of its days, narrowed to `statuses`."""
    rows = [
        Row(cut.label, [over.values[place] for over in columns], cut.short, cut.key, url)
        for place, (cut, url) in enumerate(
            zip(asked.cuts, asked.payments_by_bar(status=list(statuses) or None), strict=True)
        )
    ]
    return Drawn(title, says, "series", _("When"), [over.column for over in columns], rows, currency=asked.currency)


def share(part: int, whole: int) -> Decimal | None:
    """Percent with one decimal; None where there is nothing to divide."""
    return (Decimal(100 * part) / whole).quantize(Decimal("0.1")) if whole else None


def approval_by(
    asked: Asked,
    by: str,
    named: Callable[[RowMapping], str],
    *,
    title: str,
    says: str,
    first: str,
    url: Callable[[RowMapping], str | None] = lambda _row: None,
) -> Drawn:
    """Attempts and what became of them by what `named` says of each, the busiest first."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    urls: dict[str, str | None] = {}
    for row in asked.attempts:
        if row["by"] == by:
            found[named(row)][row["outcome"]] += row["attempts"]
            urls.setdefault(named(row), url(row))
    rows = [
        Row(label, _approval(outcomes), url=urls[label])
        for label, outcomes in sorted(found.items(), key=lambda one: (-one[1].total(), one[0]))
    ]
    whole = sum(found.values(), Counter[str]())
    heads = (_("Approval rate"), _("Approved"), _("Declined"), _("Not sent"), _("Without an answer"))
    columns = [
        Column(head, "share" if place == 0 else "count", "" if place else "bar", "good", total)
        for place, (head, total) in enumerate(zip(heads, _approval(whole), strict=True))
    ]
    empty = _("Nobody tried to pay in this period.")
    return Drawn(title, says, "ranks", first, columns, rows, empty=empty)


def _approval(outcomes: Counter[str]) -> list[Value]:
    """The share of approvals among answers, then the counts. What was not answered is no decline."""
    approved, declined = outcomes["approved"], outcomes["declined"]
    return [share(approved, approved + declined), approved, declined, outcomes["not_sent"], outcomes["open"]]
