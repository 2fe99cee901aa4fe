"""`erase()`: the content, the name and the note of a document go for good; told as `document.removed`."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, update

from app.core.clock import now
from app.core.errors import NotFound
from app.core.events import tell
from app.core.ids import public_id
from app.documents.models import DOCUMENTS, FACTS


def erase(
    connection: Connection,
    document_id: UUID,
    *,
    subject: tuple[str, UUID],
    data: Mapping[str, Any],
    payment_id: UUID | None = None,
    actor: str,
) -> dict[str, Any]:
    """Returns the row as it is left. Raises NotFound: erased before, or not one of this subject's."""
    statement = (
        update(DOCUMENTS)
        .where(
            DOCUMENTS.c.id == document_id,
            DOCUMENTS.c.subject_type == subject[0],
            DOCUMENTS.c.subject_id == subject[1],
            DOCUMENTS.c.erased_at.is_(None),
        )
        .values(sealed=None, filename="", note="", erased_at=now())
        .returning(*FACTS)
    )
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise NotFound()
    tell(
        "document.removed",
        subject=("document", document_id),
        step=2,
        merchant_id=row["merchant_id"],
        live=row["live"],
        audience="staff",
        payment_id=payment_id,
        data={**data, "document": public_id("doc", document_id), "kind": row["kind"]},
        actor=actor,
    )
    return dict(row)
