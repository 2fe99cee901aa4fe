"""Showing what stands hidden elsewhere: once, with a reason, and told before it is shown."""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from admin.forms import REQUIRED, TIDY, OnceForm, nonce, purpose, spend
from admin.guard import look_at
from admin.here import connection
from admin.reveals import REVEALS
from admin.reveals.kinds import Hidden
from admin.screen import Screen, actor, go, page, say
from admin.texts import lazy as _l
from app.core.db import atomic, of
from app.core.errors import NotFound
from app.core.events import tell
from app.core.idempotency import KeyReused, Repeated


class RevealForm(OnceForm):
    reason = StringField(_l("Reason"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=200)])


class Reveals(Screen):
    address = "reveal"

    @page("/<kind>/<id>", "instrument.reveal", ("GET", "POST"), fresh=True)
    def show_once(self, kind: str, id: str) -> Any:
        if kind not in REVEALS:
            raise NotFound()
        reveal, form = REVEALS[kind], RevealForm()
        hidden = reveal.find(connection(), id)
        look_at(hidden.live)
        what = purpose(f"reveal {kind}", id)
        if form.validate_on_submit():
            try:
                spend(form.once(what), hidden.merchant_id, hidden.live, hidden.subject)
            except (Repeated, KeyReused):
                say(_("It was shown already. Open the form again to see it once more."), "wait")
                return go(hidden.back)
            _told(kind, hidden, form.reason.data or "")
            return self.show("revealed", title=_(reveal.TITLE), hidden=hidden)
        form.nonce.data = form.nonce.data or nonce(what)
        return self.show("reveal", title=_(reveal.TITLE), hidden=hidden, form=form)


def _told(kind: str, hidden: Hidden, reason: str) -> None:
    """Before anything is shown: what cannot be told is not shown."""
    with atomic(of(hidden.merchant_id, hidden.live)):
        tell(
            "personal.revealed",
            subject=hidden.subject,
            merchant_id=hidden.merchant_id,
            live=hidden.live,
            audience="staff",
            data={**hidden.ids, "what": kind, "reason": reason},
            actor=actor(),
        )


SCREEN = Reveals

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import reveal as _me

    _check: ScreenModule = _me
