"""Evidence on a dispute: adding a file, opening it, removing it. The list stands on the dispute's page."""

from typing import TYPE_CHECKING, Any

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse
from wtforms import FileField, SelectField, StringField
from wtforms.validators import Length, Optional

from admin import words
from admin.fields import options
from admin.forms import TIDY, OnceForm, nonce, purpose
from admin.guard import look_at
from admin.here import connection
from admin.office import url
from admin.screen import Screen, actor, go, page, say, say_refused, takes_file
from admin.screens.disputes import provider_of, read_dispute
from admin.texts import lazy as _l
from app.core.attachment import attachment
from app.core.db import atomic, of
from app.core.errors import NotFound, Refusal
from app.core.idempotency import KeyReused, Repeated, claim
from app.core.ids import parse_id, public_id, uuid7
from app.documents.limits import FEW_AT_ONCE, LARGEST_BYTES, LONGEST_NOTE
from app.payments.evidence import DisputeClosed, add_evidence, evidence_of, read_evidence, remove_evidence
from app.payments.states import DISPUTE_OPEN


class EvidenceForm(OnceForm):
    file = FileField(_l("File"))
    kind = SelectField(_l("What it shows"))
    note = StringField(_l("Note"), filters=TIDY, validators=[Optional(), Length(max=LONGEST_NOTE)])

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.kind.choices = options({kind: _(label) for kind, label in words.EVIDENCE.items()})


class RemoveForm(OnceForm):
    """Only a button."""


class Evidence(Screen):
    address = "disputes"

    @page("/<id>/evidence", "dispute.evidence", ("GET", "POST"))
    @takes_file(LARGEST_BYTES)
    def add(self, id: str) -> Any:
        dispute = _open(id)
        if isinstance(dispute, AnyResponse):
            return dispute
        form = EvidenceForm()
        what = purpose("add evidence", dispute["id"])
        if form.validate_on_submit():
            answer = _added(form, what, dispute)
            if answer is not None:
                return answer
        elif request.method == "GET":
            form.nonce.data = nonce(what)
        return self.show(
            "evidence_form", title=_("Add evidence"), form=form, dispute=dispute, provider=provider_of(dispute)
        )

    @page("/<id>/evidence/<document>", "dispute.evidence")
    def file(self, id: str, document: str) -> Response:
        dispute = read_dispute(parse_id("dsp", id))
        with FEW_AT_ONCE, atomic(of(dispute["merchant_id"], dispute["live"])) as work:
            row, content = read_evidence(
                work, dispute_id=dispute["id"], document_id=parse_id("doc", document), actor=actor()
            )
        return attachment(content, filename=row["filename"], media_type=row["media_type"])

    @page("/<id>/evidence/<document>/remove", "dispute.evidence", ("GET", "POST"))
    def remove(self, id: str, document: str) -> Any:
        dispute = _open(id)
        if isinstance(dispute, AnyResponse):
            return dispute
        listed = evidence_of(dispute["id"]).subquery()
        document_id = parse_id("doc", document)
        row = connection().execute(select(listed).where(listed.c.id == document_id)).mappings().first()
        if row is None:
            raise NotFound()
        form = RemoveForm()
        what = purpose("remove evidence", document_id)
        if form.validate_on_submit():
            with atomic(of(dispute["merchant_id"], dispute["live"])) as work:
                form.once(what)
                remove_evidence(work, dispute_id=dispute["id"], document_id=document_id, actor=actor())
            say(_("%(name)s is removed.", name=row["filename"]))
            return go(_detail(dispute))
        form.nonce.data = nonce(what)
        return self.show("evidence_remove", title=_("Remove evidence"), form=form, dispute=dispute, row=row)


def _added(form: EvidenceForm, what: str, dispute: Any) -> AnyResponse | None:
    """Adds the file, once. None: it was refused in a way that belongs to a field; the form is shown again."""
    upload = request.files.get(form.file.name)
    if upload is None or not upload.filename:
        form.file.errors = [_("Choose a file.")]
        return None
    with FEW_AT_ONCE:
        content = upload.read(LARGEST_BYTES + 1)
        try:
            with atomic(of(dispute["merchant_id"], dispute["live"])) as work:
                document_id = uuid7()
                subject = ("document", document_id)
                claim(work, form.once(what), dispute["merchant_id"], dispute["live"], subject)
                row = add_evidence(
                    work,
                    dispute_id=dispute["id"],
                    kind=form.kind.data,
                    filename=upload.filename,
                    content=content,
                    note=form.note.data or "",
                    actor=actor(),
                    document_id=document_id,
                )
        except (Repeated, KeyReused):
            say(_("This form was sent before and is done already."), "wait")
        except Refusal as refusal:
            if form.refuse(refusal):
                return None
            say_refused(refusal)
        else:
            say(_("%(name)s is added as evidence.", name=row["filename"]))
    return go(_detail(dispute))


def _open(id: str) -> Any:
    """The dispute, or the way back to its page when it is closed. Raises NotFound."""
    dispute = read_dispute(parse_id("dsp", id))
    look_at(dispute["live"])
    if dispute["state"] in DISPUTE_OPEN:
        return dispute
    say_refused(DisputeClosed())
    return go(_detail(dispute))


def _detail(dispute: Any) -> str:
    return url("disputes.detail", id=public_id("dsp", dispute["id"]), _anchor="evidence")


SCREEN = Evidence

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import evidence as _me

    _check: ScreenModule = _me
