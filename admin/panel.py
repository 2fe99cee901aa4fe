"""A chart as a page shows it: every value as a text for people, and as a number for the picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from admin import shown
from admin.charts.kinds import Column, Drawn, Row, Value
from admin.here import here
from app.core.money import exponent

_SHOWN_AT_ONCE = 8  # ranks; the others are folded away


@dataclass(frozen=True, slots=True)
class Cell:
    """`number` is what is drawn (amounts in major units, empty for none), `width` that of a bar out of 1000."""

    text: str
    number: str
    width: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    row: Row
    cells: Sequence[Cell]


class Panel:
    """What a template needs of one chart. Columns of nothing but zeros are left out; its file has them."""

    def __init__(self, name: str, drawn: Drawn, csv: str) -> None:
        self.name, self.drawn, self.csv = name, drawn, csv
        places = [place for place in range(len(drawn.columns)) if place == 0 or _says_something(drawn, place)]
        self.head = [
            (drawn.columns[place], self._cell(drawn.columns[place], drawn.columns[place].total)) for place in places
        ]
        cells = zip(*(self._cells(place) for place in places), strict=True)
        lines = [Line(row, of_row) for row, of_row in zip(drawn.rows, cells, strict=True)]
        folded = len(lines) if drawn.shape == "series" else _SHOWN_AT_ONCE
        self.lines, self.more = lines[:folded], lines[folded:]

    @property
    def id(self) -> str:
        return f"chart-{self.name}"

    @property
    def unit(self) -> str:
        """Of the axis: that of the first column that is drawn."""
        return next((column.kind for column in self.drawn.columns if column.draw), "count")

    @property
    def legend(self) -> list[tuple[int, Column, Cell]]:
        """The columns that are drawn, with their places among those that are shown."""
        return [(place, column, total) for place, (column, total) in enumerate(self.head) if column.draw]

    def _cells(self, place: int) -> Iterator[Cell]:
        """Those of a column, by row. Most bars of a quiet day are nothing: each value is written once."""
        column, longest = self.drawn.columns[place], _longest(self.drawn, place)
        written: dict[Value, Cell] = {}
        for row in self.drawn.rows:
            value = row.values[place]
            if value not in written:
                written[value] = self._cell(column, value, longest)
            yield written[value]

    def _cell(self, column: Column, value: Value, longest: Value = None) -> Cell:
        width = round(1000 * min(value / longest, 1)) if value and longest and column.draw else 0
        return Cell(said(value, column, self.drawn.currency), _number(value, column, self.drawn.currency), width)


def said(value: Value, column: Column, currency: str) -> str:
    """For people: 1.234,50 €, 93,4 %, 1.234; a dash for nothing."""
    if value is None:
        return "–"
    if column.kind == "money":
        return shown.money(int(value), currency, here().locale)
    text = f"{value:,}"
    german = here().language == "de"
    if german:
        text = text.translate({ord(","): ".", ord("."): ","})
    return text if column.kind == "count" else f"{text}\xa0%" if german else f"{text}%"


def in_major_units(value: Value, column: Column, currency: str) -> Value:
    """For files and pictures: amounts as people count them, other values as they are."""
    return Decimal(value).scaleb(-exponent(currency)) if value is not None and column.kind == "money" else value


def _number(value: Value, column: Column, currency: str) -> str:
    number = in_major_units(value, column, currency)
    return "" if number is None else str(number)


def _says_something(drawn: Drawn, place: int) -> bool:
    return any(row.values[place] for row in drawn.rows)


def _longest(drawn: Drawn, place: int) -> Value:
    """What a bar as wide as can be stands for."""
    if drawn.columns[place].kind == "share":
        return Decimal(100)
    return max((row.values[place] or 0 for row in drawn.rows), default=None)
