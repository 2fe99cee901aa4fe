"""CSV files that a spreadsheet opens as they are meant: nothing in them is run, nothing is misread."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

Cell = str | int | Decimal | None

# What a spreadsheet takes for the beginning of a formula, or skips on its way to one.
_BEGIN_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_BYTE_ORDER_MARK = "\ufeff"  # without it spreadsheets read UTF-8 as something else


def safe(cell: str) -> str:
    """A text that no spreadsheet runs: what begins like a formula gets an apostrophe in front."""
    return f"'{cell}" if cell.startswith(_BEGIN_FORMULAS) else cell


def written(header: Sequence[str], rows: Iterable[Sequence[Cell]], language: str) -> bytes:
    """A file. In German cells are parted by semicolons and decimals begin with a comma; texts are made safe."""
    german = language == "de"
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";" if german else ",", lineterminator="\r\n")
    writer.writerow([safe(cell) for cell in header])
    for row in rows:
        writer.writerow([_cell(cell, german) for cell in row])
    return (_BYTE_ORDER_MARK + file.getvalue()).encode()


def _cell(cell: Cell, german: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return safe(cell)
    text = f"{cell:f}" if isinstance(cell, Decimal) else str(cell)  # a number, so a minus is one
    return text.replace(".", ",") if german else text
