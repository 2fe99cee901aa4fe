"""Evidence on disputes: files that a merchant or staff put there while the dispute is open.

They are kept here and go nowhere by themselves: staff hand them in at the provider, in its own portal.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, select

from app.core.errors import Conflict, NotFound
from app.core.ids import public_id
from app.core.texts import N_
from app.documents.erase import erase
from app.documents.keep import keep
from app.documents.models import DOCUMENTS, FACTS, documents_of
from app.documents.read import read
from app.payments.dispute import DISPUTES
from app.payments.states import DISPUTE_OPEN

# What a file shows; providers' portals ask for about the same.
KINDS = ("receipt", "delivery_note", "correspondence", "other")


class DisputeClosed(Conflict):
    code = "dispute_closed"
    message = N_("This dispute is closed: its evidence stays as it is.")
    advice = N_("Read the dispute again; evidence counts only while it is open.")


def add_evidence(
    connection: Connection,
    *,
    dispute_id: UUID,
    kind: str,
    filename: str | None,
    content: bytes,
    note: str = "",
    actor: str,
    document_id: UUID | None = None,
) -> dict[str, Any]:
    """Returns the document's row without its content. Raises NotFound, DisputeClosed and what keep() raises."""
    assert kind in KINDS, kind
    dispute = _open(connection, dispute_id)
    return keep(
        connection,
        subject=_subject(dispute_id),
        merchant_id=dispute["merchant_id"],
        live=dispute["live"],
        kind=kind,
        filename=filename,
        content=content,
        note=note,
        data=_ids(dispute),
        payment_id=dispute["payment_id"],
        actor=actor,
        document_id=document_id,
    )


def remove_evidence(connection: Connection, *, dispute_id: UUID, document_id: UUID, actor: str) -> dict[str, Any]:
    """Erases it for good. Returns what is left of its row. Raises NotFound, DisputeClosed."""
    dispute = _open(connection, dispute_id)
    return erase(
        connection,
        document_id,
        subject=_subject(dispute_id),
        data=_ids(dispute),
        payment_id=dispute["payment_id"],
        actor=actor,
    )


def read_evidence(
    connection: Connection, *, dispute_id: UUID, document_id: UUID, actor: str
) -> tuple[dict[str, Any], bytes]:
    """(the document's row, the file). Raises NotFound."""
    dispute = connection.execute(select(DISPUTES).where(DISPUTES.c.id == dispute_id)).mappings().first()
    if dispute is None:
        raise NotFound()
    return read(connection, document_id, subject=_subject(dispute_id), data=_ids(dict(dispute)), actor=actor)


def evidence_of(dispute_id: UUID) -> Select[Any]:
    """What there is now, without the files themselves."""
    return documents_of(_subject(dispute_id))


def one_evidence(dispute_id: UUID, document_id: UUID) -> Select[Any]:
    """One of them, also when it was erased."""
    kind, id = _subject(dispute_id)
    return select(*FACTS).where(
        DOCUMENTS.c.id == document_id, DOCUMENTS.c.subject_type == kind, DOCUMENTS.c.subject_id == id
    )


def _open(connection: Connection, dispute_id: UUID) -> Mapping[str, Any]:
    """The dispute under lock: its files are counted, and news of it waits. Raises NotFound, DisputeClosed."""
    query = select(DISPUTES).where(DISPUTES.c.id == dispute_id).with_for_update()
    dispute = connection.execute(query).mappings().first()
    if dispute is None:
        raise NotFound()
    if dispute["state"] not in DISPUTE_OPEN:
        raise DisputeClosed()
    return dict(dispute)


def _subject(dispute_id: UUID) -> tuple[str, UUID]:
    return "dispute", dispute_id


def _ids(dispute: Mapping[str, Any]) -> dict[str, Any]:
    return {"dispute": public_id("dsp", dispute["id"])}
