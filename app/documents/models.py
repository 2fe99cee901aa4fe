"""Documents: files that belong to something, sealed. What is in one never changes; it can only be erased.

The row outlives its content (`erased_at`), empty, so that nothing points into the void; the database sees to both.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, Select, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import vault
from app.core.db import Model, OfMerchant, table_of
from app.documents.limits import LARGEST_BYTES, LONGEST_NAME, LONGEST_NOTE
from app.documents.recognise import EXTENSIONS


def context_of(row: Mapping[str, Any]) -> str:
    """What the seal binds the content to: this document, of this owner, served as this type (core/vault.py)."""
    return f"documents.sealed/{row['merchant_id']}/{row['live']}/{row['id']}/{row['media_type']}"


class Document(Model, OfMerchant):
    """`subject_type`, `subject_id`: what it belongs to; `kind`: a word of the room that keeps it.

    `sha256` is that of the file as it came, 32 bytes. `filename` and `note` may name people: they go with the content.
    """

    __tablename__ = "documents"
    __table_args__ = (
        CheckConstraint(f"size_bytes > 0 AND size_bytes <= {LARGEST_BYTES}", name="size"),
        CheckConstraint(f"media_type IN ({', '.join(repr(one) for one in EXTENSIONS)})", name="media_type"),
        CheckConstraint(f"length(filename) <= {LONGEST_NAME} AND length(note) <= {LONGEST_NOTE}", name="lengths"),
        CheckConstraint(
            "CASE WHEN erased_at IS NULL THEN sealed IS NOT NULL AND filename <> ''"
            " ELSE sealed IS NULL AND filename = '' AND note = '' END",
            name="there_or_erased",
        ),
        Index("ix_documents_subject", "subject_type", "subject_id", "id"),
        Index("ix_documents_kept", "created_at", postgresql_where=text("erased_at IS NULL")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    kind: Mapped[str]
    filename: Mapped[str]
    note: Mapped[str] = mapped_column(default="", server_default="")
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, info=vault.sealed(context_of))
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    erased_at: Mapped[datetime | None]


DOCUMENTS = table_of(Document)
# Everything but the content: what lists and pages read, so that none of them loads megabytes by the way.
FACTS = tuple(column for column in DOCUMENTS.c if column.name != "sealed")


def documents_of(subject: tuple[str, UUID]) -> Select[Any]:
    """What there is about a subject, without the content and without what was erased."""
    return select(*FACTS).where(
        DOCUMENTS.c.subject_type == subject[0], DOCUMENTS.c.subject_id == subject[1], DOCUMENTS.c.erased_at.is_(None)
    )
