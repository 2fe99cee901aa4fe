"""`keep()`: a file is looked at, named, sealed and written down; told as `document.added`."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select

from app.core import vault
from app.core.clock import now
from app.core.errors import Conflict, Refusal
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.documents.limits import LARGEST_BYTES, LONGEST_NOTE, MOST_PER_SUBJECT
from app.documents.models import DOCUMENTS, context_of, documents_of
from app.documents.name import name
from app.documents.recognise import recognise


class DocumentTooLarge(Refusal):
    status = 413
    code = "document_too_large"
    message = N_("This file is too large: %(megabytes)s MB are the most.")
    advice = N_("Send a smaller one, for example scanned with fewer dots per inch, or in parts.")

    def __init__(self) -> None:
        super().__init__(param="file", megabytes=LARGEST_BYTES // 1_000_000)


class TooManyDocuments(Conflict):
    code = "too_many_documents"
    message = N_("There are %(most)s files already; no more are kept.")
    advice = N_("Remove one that is not needed, or put several into one PDF.")


def keep(
    connection: Connection,
    *,
    subject: tuple[str, UUID],
    merchant_id: UUID,
    live: bool,
    kind: str,
    filename: str | None,
    content: bytes,
    note: str = "",
    data: Mapping[str, Any],
    payment_id: UUID | None = None,
    actor: str,
    document_id: UUID | None = None,
) -> dict[str, Any]:
    """Returns the row without its content. Lock the subject first: it is counted what it has.

    `document_id`: made before, for an idempotency key. `data`: ids for the event. The
    file is kept as it came: when and where a photo was taken may be what it proves.
    Raises DocumentTooLarge, EmptyDocument, UnknownKindOfDocument, TooManyDocuments.
    """
    assert len(note) <= LONGEST_NOTE
    if len(content) > LARGEST_BYTES:
        raise DocumentTooLarge()
    media_type = recognise(content)
    there = connection.execute(select(func.count()).select_from(documents_of(subject).subquery())).scalar_one()
    if there >= MOST_PER_SUBJECT:
        raise TooManyDocuments(most=MOST_PER_SUBJECT)
    row: dict[str, Any] = {
        "id": document_id or uuid7(),
        "merchant_id": merchant_id,
        "live": live,
        "subject_type": subject[0],
        "subject_id": subject[1],
        "kind": kind,
        "filename": name(filename, media_type),
        "note": note,
        "media_type": media_type,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).digest(),
        "created_at": now(),
        "created_by": actor,
        "erased_at": None,
    }
    connection.execute(insert(DOCUMENTS).values(**row, sealed=vault.seal(content, context_of(row))))
    tell(
        "document.added",
        subject=("document", row["id"]),
        step=1,
        merchant_id=merchant_id,
        live=live,
        audience="staff",
        payment_id=payment_id,
        data={
            **data,
            "document": public_id("doc", row["id"]),
            **{fact: row[fact] for fact in ("kind", "media_type", "size_bytes")},
        },
        actor=actor,
    )
    return row
