"""CSV files of what a page shows, whole (see app/core/cells.py; large ones are made by app/exports)."""

from collections.abc import Iterable, Sequence

from app.core.cells import BYTE_ORDER_MARK, Cell, lines, safe

__all__ = ["Cell", "safe", "written"]


def written(header: Sequence[str], rows: Iterable[Sequence[Cell]], language: str) -> bytes:
    """A file. In German cells are parted by semicolons and decimals begin with a comma; texts are made safe."""
    return (BYTE_ORDER_MARK + lines([header, *rows], language)).encode()
