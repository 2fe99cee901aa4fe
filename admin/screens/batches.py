"""Many payments at once: what would be done, then how far it is and what became of each."""

from typing import TYPE_CHECKING, Any

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from admin import batch_page, batch_preview, payment_list
from admin.forms import REQUIRED, TIDY, OnceForm, nonce
from admin.guard import look_at
from admin.here import connection, here, scope, staff
from admin.listing import NotUnderstood
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say, say_refused
from admin.texts import lazy as _l
from app.batches.start import NothingToDo, TooMany, start
from app.batches.stop import stop
from app.core.db import atomic
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.payments.offers import Verb

_TITLES = {"capture": N_("Capture several payments"), "cancel": N_("Cancel several payments")}


class BatchForm(OnceForm):
    """`rows`: what the preview has shown; only that is done."""

    reason = StringField(_l("Reason"), filters=TIDY, validators=[Length(max=200)])
    rows = HiddenField(validators=[InputRequired()])


class Batches(Screen):
    address = "batches"
    entry = Entry("payments", 15, N_("Several at once"), "stack")

    @page("/", "payment.read")
    def index(self) -> str:
        return self.show("batches", title=_("Several at once"), batches=batch_page.latest(connection(), here().live))

    @page("/capture", "payment.capture", ("GET", "POST"), fresh=True)
    def capture(self) -> Any:
        return self._new("capture")

    @page("/cancel", "payment.cancel", ("GET", "POST"), fresh=True)
    def cancel(self) -> Any:
        return self._new("cancel")

    @page("/<id>", "payment.read")
    def detail(self, id: str) -> str:
        batch = batch_page.read(connection(), parse_id("bat", id))
        look_at(batch["live"])
        return self.show("batch", title=batch_page.title(batch), **batch_page.picture(connection(), batch))

    @page("/capture/<id>/stop", "payment.capture", ("POST",))
    def stop_capture(self, id: str) -> AnyResponse:
        return _stop(id, "capture")

    @page("/cancel/<id>/stop", "payment.cancel", ("POST",))
    def stop_cancel(self, id: str) -> AnyResponse:
        return _stop(id, "cancel")

    def _new(self, verb: Verb) -> Any:
        """GET shows what would be done; POST starts what was shown."""
        form = BatchForm()
        if verb == "cancel":
            form.reason.validators = [DataRequired(REQUIRED), *form.reason.validators]
        if form.validate_on_submit():
            return self._start(verb, form)
        try:
            shown = self._shown(verb, form)
        except (TooMany, NotUnderstood) as refusal:
            say_refused(refusal)
            return go(payment_list.address())
        form.rows.data = shown.packed
        form.nonce.data = form.nonce.data or nonce(f"batch {verb}")
        return self.show("batch_new", title=_(_TITLES[verb]), verb=verb, form=form, shown=shown)

    def _shown(self, verb: Verb, form: BatchForm) -> batch_preview.Preview:
        if request.method == "POST" and form.rows.data:  # something in the form was wrong: the same payments again
            payments = [line.payment["id"] for line in batch_preview.as_shown(connection(), verb, form.rows.data)]
        else:
            payments = batch_preview.chosen(connection())
        return batch_preview.preview(connection(), verb, payments)

    def _start(self, verb: Verb, form: BatchForm) -> AnyResponse:
        once = form.once(f"batch {verb}")
        lines = batch_preview.as_shown(connection(), verb, form.rows.data or "")
        try:
            with atomic(scope()) as work:
                batch_id = start(
                    work,
                    verb,
                    lines,
                    live=here().live,
                    reason=form.reason.data or "",
                    user_id=staff().id,
                    actor=actor(),
                    nonce=once.key,
                )
        except (NothingToDo, TooMany) as refusal:
            say_refused(refusal)
            return go(url("payments.index"))
        return go(url("batches.detail", id=public_id("bat", batch_id)))


def _stop(id: str, verb: Verb) -> AnyResponse:
    batch_id = parse_id("bat", id)
    with atomic(scope()) as work:
        left = stop(work, batch_id, verb, actor=actor())
    say(
        ngettext(
            "Stopped. %(num)s payment is left as it was.", "Stopped. %(num)s payments are left as they were.", left
        )
    )
    return go(url("batches.detail", id=id))


SCREEN = Batches

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import batches as _me

    _check: ScreenModule = _me
