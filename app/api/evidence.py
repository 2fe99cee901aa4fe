"""Evidence on disputes: files that show the payment was right."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from flask import Response
from pydantic import StringConstraints
from sqlalchemy import select

from app.api._answers import answer, newest_first, read_one
from app.api._callers import actor, needs, scope, tenant
from app.api._input import NO_CARD, NO_CONTROL, Body, Page
from app.api._once import once
from app.api._pictures import Moment, Picture, one_of
from app.api._pictures import Page as PagePicture
from app.api._resource import resource
from app.api._upload import Upload, fingerprint, takes_file
from app.core.attachment import attachment
from app.core.db import atomic, reading
from app.core.idempotency import Repeated, claim
from app.core.ids import parse_id, uuid7
from app.documents.limits import FEW_AT_ONCE, LARGEST_BYTES, LONGEST_NOTE
from app.documents.models import DOCUMENTS
from app.documents.recognise import EXTENSIONS
from app.payments.dispute import DISPUTES
from app.payments.evidence import KINDS, add_evidence, evidence_of, one_evidence, read_evidence
from app.payments.public import evidence_picture

api = resource(
    "evidence",
    "Files on a dispute, kept sealed. They are not sent to the provider: staff hand them in, in its own portal.",
)

# For `@api.doc(responses=...)`: the file itself is the answer.
_FILE: Any = {
    200: {
        "description": "The file, byte for byte as it was added.",
        "content": {one: {"schema": {"type": "string", "format": "binary"}} for one in EXTENSIONS},
    }
}


class NewEvidence(Body):
    """A file, and what it shows."""

    file: Upload
    kind: Literal[*KINDS]  # pyright: ignore[reportInvalidTypeForm]  # see payments/evidence.py
    note: Annotated[str, StringConstraints(max_length=LONGEST_NOTE, pattern=NO_CONTROL), NO_CARD] = ""
    """What somebody should know who reads it."""


class Evidence(Picture):
    """`removed_at`: then the file, its name and the note are erased; `sha256` is that of the file, in hex."""

    id: str
    object: Literal["evidence"]
    dispute: str
    kind: Annotated[str, one_of(KINDS)]
    filename: str | None
    media_type: Annotated[str, one_of(tuple(EXTENSIONS))]
    size_bytes: int
    sha256: str
    note: str | None
    created_at: Moment
    removed_at: Moment | None


class EvidenceList(PagePicture):
    data: list[Evidence]


@api.post("/disputes/<dispute_id>/evidence")
@needs("dispute.evidence")
@takes_file
@api.input(NewEvidence, location="form_and_files", example={"file": "@delivery-note.pdf", "kind": "delivery_note"})
@api.output(Evidence, 201)
def create(dispute_id: str, form_and_files_data: NewEvidence) -> Response:
    """Add evidence to a dispute

    While the dispute is open; at most 20 files. PDF, PNG, JPEG or plain text in UTF-8. The file is kept as it is.
    """
    sent, found, document_id = form_and_files_data, parse_id("dsp", dispute_id), uuid7()
    read_one(select(DISPUTES.c.id).where(DISPUTES.c.id == found))  # before megabytes are read into memory
    with FEW_AT_ONCE:
        content = sent.file.read(LARGEST_BYTES + 1)
        fields = {"kind": sent.kind, "note": sent.note}
        wish = once(fingerprint(fields, sent.file.filename, content))
        try:
            with atomic(scope()) as connection:
                claim(connection, wish, **tenant(), subject=("document", document_id))
                row = add_evidence(
                    connection,
                    dispute_id=found,
                    filename=sent.file.filename,
                    content=content,
                    actor=actor(),
                    document_id=document_id,
                    **fields,
                )
        except Repeated as repeated:
            return answer(evidence_picture(read_one(one_evidence(found, repeated.subject_id))), 201, repeated=True)
    return answer(evidence_picture(row), 201)


@api.get("/disputes/<dispute_id>/evidence")
@needs("dispute.read")
@api.input(Page, location="query")
@api.output(EvidenceList)
def list_(dispute_id: str, query_data: Page) -> Response:
    """List the evidence on a dispute

    Newest first.
    """
    found = parse_id("dsp", dispute_id)
    read_one(select(DISPUTES.c.id).where(DISPUTES.c.id == found))
    with reading(scope()) as connection:
        return newest_first(connection, evidence_of(found), DOCUMENTS.c.id, "doc", query_data, evidence_picture)


@api.get("/disputes/<dispute_id>/evidence/<document_id>")
@needs("dispute.read")
@api.doc(responses=_FILE)
def download(dispute_id: str, document_id: str) -> Response:
    """Download a piece of evidence

    Who downloads it is recorded.
    """
    with FEW_AT_ONCE, atomic(scope()) as connection:
        row, content = read_evidence(
            connection,
            dispute_id=parse_id("dsp", dispute_id),
            document_id=parse_id("doc", document_id),
            actor=actor(),
        )
    return attachment(content, filename=row["filename"], media_type=row["media_type"])


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import evidence as _me

    _: Resource = _me
