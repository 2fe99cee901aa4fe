"""`read()`: the content of a document, opened and checked. Who read it is told to staff as `document.read`."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.core import vault
from app.core.errors import NotFound
from app.core.events import tell
from app.core.ids import public_id
from app.documents.models import DOCUMENTS, context_of


def read(
    connection: Connection,
    document_id: UUID,
    *,
    subject: tuple[str, UUID],
    data: Mapping[str, Any],
    actor: str,
) -> tuple[dict[str, Any], bytes]:
    """(the row, the file as it came). Raises NotFound: erased, or not of this subject; CannotOpen: was changed."""
    query = select(DOCUMENTS).where(
        DOCUMENTS.c.id == document_id,
        DOCUMENTS.c.subject_type == subject[0],
        DOCUMENTS.c.subject_id == subject[1],
        DOCUMENTS.c.erased_at.is_(None),
    )
    found = connection.execute(query).mappings().first()
    if found is None:
        raise NotFound()
    row = dict(found)
    content = vault.unseal(row.pop("sealed"), context_of(row))
    if not hmac.compare_digest(hashlib.sha256(content).digest(), row["sha256"]):
        raise vault.CannotOpen(context_of(row))
    tell(
        "document.read",
        subject=("document", document_id),
        merchant_id=row["merchant_id"],
        live=row["live"],
        audience="staff",
        data={**data, "document": public_id("doc", document_id), "kind": row["kind"]},
        actor=actor,
    )
    return row, content
