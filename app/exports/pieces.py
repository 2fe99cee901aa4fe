"""Pieces of a file: packed and sealed one by one, so that it can be made, and sent, a piece at a time."""

import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from app.core import vault
from app.core.cells import Cell
from app.core.db import ALL, reading
from app.exports.models import PIECES, context_of

Kind = Literal["rows", "file"]


def keep(connection: Connection, export_id: UUID, kind: Kind, number: int, content: bytes) -> None:
    piece: dict[str, Any] = {"export_id": export_id, "kind": kind, "number": number}
    packed = zlib.compress(content, 6)
    connection.execute(insert(PIECES).values(**piece, sealed=vault.seal(packed, context_of(piece))))


def drop(connection: Connection, export_id: UUID, kind: Kind | None = None) -> None:
    statement = delete(PIECES).where(PIECES.c.export_id == export_id)
    connection.execute(statement if kind is None else statement.where(PIECES.c.kind == kind))


def contents(export_id: UUID, kind: Kind) -> Iterator[bytes]:
    """In their order. Each is read by itself, so that a slow reader holds no connection meanwhile.

    Raises CannotOpen for one that was changed.
    """
    number = 1
    while (sealed := _sealed(export_id, kind, number)) is not None:
        piece: dict[str, Any] = {"export_id": export_id, "kind": kind, "number": number}
        yield zlib.decompress(vault.unseal(sealed, context_of(piece)))
        number += 1


def _sealed(export_id: UUID, kind: Kind, number: int) -> bytes | None:
    query = select(PIECES.c.sealed).where(
        PIECES.c.export_id == export_id, PIECES.c.kind == kind, PIECES.c.number == number
    )
    with reading(ALL) as connection:
        return connection.execute(query).scalar()


def packed_rows(rows: Sequence[Sequence[Cell]]) -> bytes:
    return json.dumps([[_packed(cell) for cell in row] for row in rows], ensure_ascii=False).encode()


def unpacked_rows(content: bytes) -> list[list[Cell]]:
    return [[_unpacked(cell) for cell in row] for row in json.loads(content)]


def _packed(cell: Cell) -> Any:
    if isinstance(cell, Decimal):
        return {"d": str(cell)}
    return {"t": cell.isoformat()} if isinstance(cell, datetime) else cell


def _unpacked(cell: Any) -> Cell:
    if isinstance(cell, dict):
        return Decimal(cell["d"]) if "d" in cell else datetime.fromisoformat(cell["t"])
    return cell
