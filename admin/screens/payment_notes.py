"""Notes on a payment: written here, read on its page, never changed."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from admin.forms import REQUIRED, TIDY, OnceForm, nonce, purpose
from admin.here import connection, scope
from admin.office import url
from admin.screen import Screen, actor, go, page, say, say_refused
from admin.texts import lazy as _l
from app.core.card_numbers import CardNumberInText, holds_card_number
from app.core.db import atomic
from app.core.errors import NotFound, Refusal
from app.core.idempotency import KeyReused, Repeated
from app.core.ids import parse_id
from app.payments.note import LONGEST, note
from app.payments.queries import PAYMENTS


class NoteForm(OnceForm):
    said = TextAreaField(_l("Note"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=LONGEST)])


def fresh(payment_id: object) -> NoteForm:
    """For the payment's page."""
    form = NoteForm(formdata=None)
    form.nonce.data = nonce(purpose("note", str(payment_id)))
    return form


class PaymentNotes(Screen):
    address = "payments"

    @page("/<id>/notes", "payment.note", ("POST",))
    def write(self, id: str) -> AnyResponse:
        payment_id, form = parse_id("pay", id), NoteForm()
        if connection().execute(select(PAYMENTS.c.id).where(PAYMENTS.c.id == payment_id)).first() is None:
            raise NotFound()
        back = go(f"{url('payments.detail', id=id)}#notes")
        if not form.validate_on_submit():
            if holds_card_number(form.said.data or ""):
                say_refused(CardNumberInText())
            else:
                say(_("A note needs a text, of %(most)s characters at most.", most=LONGEST), "bad")
            return back
        said = form.said.data or ""
        once = form.once(purpose("note", str(payment_id)), said)
        try:
            with atomic(scope()) as work:
                note(work, payment_id, said=said, actor=actor(), once=once)
        except (Repeated, KeyReused):
            return back  # sent twice: it stands there
        except Refusal as refusal:
            say_refused(refusal)
            return back
        say(_("Noted."))
        return back


SCREEN = PaymentNotes

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import payment_notes as _me

    _check: ScreenModule = _me
