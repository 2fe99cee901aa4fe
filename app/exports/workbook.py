"""A spreadsheet file out of rows, written as they come: memory holds one row, the rest is a file that is gone after.

Texts are written as texts whatever they begin with, so none of them is a formula.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app.core.cells import Cell

_ROWS_PER_SHEET = 1_000_000  # the format ends at 1,048,576
_PIECE_BYTES = 1_000_000


def written(title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The file, piece by piece."""
    with tempfile.TemporaryDirectory(prefix="zahlwerk-export-") as folder:
        path = Path(folder) / "export.xlsx"
        _write(path, folder, title, header, rows)
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece


def _write(path: Path, folder: str, title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    options = {"constant_memory": True, "tmpdir": folder, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
    with xlsxwriter.Workbook(str(path), options) as book:
        bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet, line = None, 0
        for row in rows:
            if sheet is None or line == _ROWS_PER_SHEET:
                sheet, line = _sheet(book, title, header, bold), 0
            line += 1
            _row(sheet, line, row, moment)
        if sheet is None:
            _sheet(book, title, header, bold)


def _sheet(book: xlsxwriter.Workbook, title: str, header: Sequence[str], bold: Format) -> Worksheet:
    number = len(book.worksheets()) + 1
    sheet = book.add_worksheet(title if number == 1 else f"{title} {number}")
    sheet.freeze_panes(1, 0)
    for place, label in enumerate(header):
        sheet.set_column(place, place, max(12, min(32, len(label) + 4)))
        sheet.write_string(0, place, label, bold)
    return sheet


def _row(sheet: Worksheet, line: int, row: Sequence[Cell], moment: Format) -> None:
    for place, cell in enumerate(row):
        _WRITERS[type(cell)](sheet, line, place, cell, moment)


_WRITERS: dict[type, Callable[..., object]] = {
    str: lambda sheet, line, place, cell, _moment: sheet.write_string(line, place, cell),
    int: lambda sheet, line, place, cell, _moment: sheet.write_number(line, place, cell),
    Decimal: lambda sheet, line, place, cell, _moment: sheet.write_number(line, place, cell),
    datetime: lambda sheet, line, place, cell, moment: sheet.write_datetime(
        line, place, cell.replace(tzinfo=None, microsecond=0), moment
    ),
    type(None): lambda *_: None,
}
