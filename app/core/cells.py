"""Lines of CSV that a spreadsheet opens as they are meant: nothing in them is run, nothing is misread."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

# A moment is written as its own zone's clock shows it.
Cell = str | int | Decimal | datetime | None

BYTE_ORDER_MARK = "\ufeff"  # at the beginning of a file: without it spreadsheets read UTF-8 as something else
# What a spreadsheet takes for the beginning of a formula, or skips on its way to one.
_BEGIN_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(cell: str) -> str:
    """A text that no spreadsheet runs: what begins like a formula gets an apostrophe in front."""
    return f"'{cell}" if cell.startswith(_BEGIN_FORMULAS) else cell


def lines(rows: Iterable[Sequence[Cell]], language: str) -> str:
    """In German cells are parted by semicolons and decimals begin with a comma; texts are made safe."""
    german = language == "de"
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";" if german else ",", lineterminator="\r\n")
    writer.writerows([_cell(cell, german) for cell in row] for row in rows)
    return file.getvalue()


def _cell(cell: Cell, german: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return safe(cell)
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")  # read alike in every country
    text = f"{cell:f}" if isinstance(cell, Decimal) else str(cell)  # a number, so a minus is one
    return text.replace(".", ",") if german else text
