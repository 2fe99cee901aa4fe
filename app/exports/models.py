"""Exports and the pieces their files are made of."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core import vault
from app.core.db import Model, table_of


def context_of(piece: Mapping[str, Any]) -> str:
    """What the seal binds a piece to: this place of this export."""
    return f"export_pieces.sealed/{piece['export_id']}/{piece['kind']}/{piece['number']}"


class Export(Model):
    """What somebody asked for. `merchants` None: all, as the person's rights were; they are asked again at each step.

    `cursor`: the last payment that was written. `expected` None: not counted yet. `why`: a refusal in words.
    """

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint("form IN ('csv', 'xlsx')", name="form"),
        CheckConstraint("state IN ('waiting', 'ready', 'refused')", name="state"),
        CheckConstraint("(state = 'refused') = (why IS NOT NULL)", name="refused_says_why"),
        Index("ix_exports_waiting", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix_exports_asked_by", "asked_by", "id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    asked_by: Mapped[UUID]
    actor: Mapped[str]
    form: Mapped[str]
    language: Mapped[str]
    timezone: Mapped[str]
    live: Mapped[bool]
    merchants: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    filters: Mapped[dict[str, Any]]
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    oldest_first: Mapped[bool]
    state: Mapped[str]
    expected: Mapped[int | None]
    rows: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    pieces: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    cursor: Mapped[UUID | None]
    why: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    leased_until: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ExportPiece(Model):
    """`kind`: "rows" as they were read (of a file that is put together at the end), or "file": a part of the file."""

    __tablename__ = "export_pieces"
    __table_args__ = (CheckConstraint("kind IN ('rows', 'file')", name="kind"),)
    export_id: Mapped[UUID] = mapped_column(ForeignKey("exports.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, info=vault.sealed(context_of))


EXPORTS, PIECES = table_of(Export), table_of(ExportPiece)
