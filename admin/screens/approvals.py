"""Requests for approval: the inbox of whoever decides, what became of them, and the request itself."""

from typing import TYPE_CHECKING, Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from admin import actors, approval_words, merchants_known
from admin.forms import REQUIRED, TIDY, Form
from admin.here import connection, here, scope, staff
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say, say_refused
from admin.texts import lazy as _l
from app.approvals import decide
from app.approvals.approvers import involved, may_decide
from app.approvals.ask import REQUESTS
from app.approvals.inbox import decidable
from app.core.errors import Refusal
from app.core.events import EVENTS
from app.core.ids import parse_id, public_id
from app.core.texts import N_

_MOST = 200
VIEWS = {
    "open": N_("To decide"),
    "waiting": N_("All that waits"),
    "mine": N_("Asked by me"),
    "closed": N_("Decided"),
}


class DecisionForm(Form):
    note = StringField(_l("Note"), filters=TIDY, validators=[Length(max=500)])


class CommentForm(Form):
    body = StringField(_l("Comment"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=1000)])


class Approvals(Screen):
    address = "approvals"
    entry = Entry("top", 20, N_("Requests for approval"), "done", "approvals")

    @page("/", "approval.read")
    def index(self) -> str:
        view = request.args.get("view", "open")
        view = view if view in VIEWS else "open"
        rows = _rows(view)
        return self.show(
            "approvals",
            title=_("Requests for approval"),
            rows=rows,
            view=view,
            views=VIEWS,
            actors=actors.names([row["maker"] for row in rows]),
            words=approval_words,
            merchants=merchants_known.names(),
            may=_may,
        )

    @page("/<id>", "approval.read")
    def detail(self, id: str) -> str:
        return self._detail(_read(id), DecisionForm(), CommentForm())

    @page("/<id>/approve", "approval.decide", ("POST",), fresh=True)
    def approve(self, id: str) -> Any:
        asked, form = _read(id), DecisionForm()
        if not form.validate():
            return self._detail(asked, form, CommentForm())
        try:
            after = decide.approve(asked["id"], staff(), scope=scope(), note=form.note.data or "")
        except Refusal as refusal:
            say_refused(refusal)
        else:
            say(*approval_words.done(after["state"]))
        return go(url("approvals.detail", id=id))

    @page("/<id>/reject", "approval.decide", ("POST",))
    def reject(self, id: str) -> Any:
        asked, form = _read(id), DecisionForm()
        form.note.validators = [DataRequired(REQUIRED), *form.note.validators]
        if not form.validate():
            return self._detail(asked, form, CommentForm())
        try:
            decide.reject(asked["id"], staff(), scope=scope(), note=form.note.data or "")
        except Refusal as refusal:
            say_refused(refusal)
        else:
            say(_("Rejected. Nothing was sent, and what was kept aside is free again."))
        return go(url("approvals.detail", id=id))

    @page("/<id>/take-back", "approval.read", ("POST",))
    def take_back(self, id: str) -> Any:
        asked = _read(id)
        try:
            decide.take_back(asked["id"], staff(), scope=scope())
        except Refusal as refusal:
            say_refused(refusal)
        else:
            say(_("Taken back."))
        return go(url("approvals.detail", id=id))

    @page("/<id>/comment", "approval.read", ("POST",))
    def comment(self, id: str) -> Any:
        asked, form = _read(id), CommentForm()
        if not form.validate():
            return self._detail(asked, DecisionForm(), form)
        decide.comment(asked["id"], actor(), form.body.data or "", scope=scope())
        return go(url("approvals.detail", id=id))

    @page("/<id>/secret", "approval.read", ("POST",), fresh=True)
    def secret(self, id: str) -> Any:
        """Shown once, to whoever asked for it."""
        secret = decide.take_secret(_read(id)["id"], actor(), scope=scope())
        if secret is None:
            say(_("The secret was shown already, or is not for you."), "wait")
            return go(url("approvals.detail", id=id))
        return self.show("approval_secret", title=_("The secret"), secret=secret, id=id)

    def _detail(self, asked: Any, decision: DecisionForm, comment: CommentForm) -> str:
        comments = (
            connection()
            .execute(
                select(decide.COMMENTS)
                .where(decide.COMMENTS.c.request_id == asked["id"])
                .order_by(decide.COMMENTS.c.id)
            )
            .mappings()
            .all()
        )
        story = _story(asked)
        people = [asked["maker"], asked["decided_by"] or "", *(one["author"] for one in comments)]
        people += [one["actor"] for one in story]
        return self.show(
            "approval",
            title=approval_words.title(asked),
            wanted=asked,
            comments=comments,
            story=story,
            actors=actors.names(filter(None, people)),
            words=approval_words,
            merchants=merchants_known.names(),
            decision=decision,
            comment=comment,
            may_decide=_may(asked),
            too_close=asked["state"] == "pending" and staff().actor in involved(connection(), asked),
            is_mine=asked["maker"] == staff().actor,
            label=approval_words.name(asked),
        )


def _story(asked: Any) -> Any:
    """All that happened to a request, the oldest first."""
    query = select(EVENTS).where(EVENTS.c.subject_type == "approval", EVENTS.c.subject_id == asked["id"])
    return connection().execute(query.order_by(EVENTS.c.id)).mappings().all()


def _may(asked: Any) -> bool:
    return asked["state"] == "pending" and may_decide(connection(), staff(), asked)


def _rows(view: str) -> Any:
    """What ends soonest first; closed ones newest first. Requests of no merchant stand in both modes."""
    if view == "open":
        return decidable(connection(), staff(), live=here().live)
    query = select(REQUESTS).where(REQUESTS.c.live.is_(None) | (REQUESTS.c.live == here().live))
    if view == "waiting":
        query = query.where(REQUESTS.c.state == "pending").order_by(REQUESTS.c.expires_at)
    elif view == "mine":
        query = query.where(REQUESTS.c.maker == staff().actor).order_by(REQUESTS.c.id.desc())
    else:
        query = query.where(REQUESTS.c.state != "pending").order_by(REQUESTS.c.id.desc())
    return connection().execute(query.limit(_MOST)).mappings().all()


def _read(id: str) -> Any:
    return decide.read(connection(), parse_id("apr", id))


def address(asked: Any) -> str:
    return url("approvals.detail", id=public_id("apr", asked["id"]))


SCREEN = Approvals

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import approvals as _me

    _check: ScreenModule = _me
