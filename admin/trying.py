"""The button "Test connection": on the form before anything is saved, after saving, and on the contract's page."""

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request

from admin import formats, reached
from admin.screen import actor, say
from app.connectors import CONNECTORS
from app.core.errors import Refusal
from app.merchants.check import CheckedTooOften, NotCheckable, check_contract, check_settings


def wanted() -> bool:
    """Whether the form was sent with that button."""
    return request.method == "POST" and "test" in request.form


def answer(form: Any, *, merchant_id: Any, live: bool, provider: str, before: bytes | None = None) -> Response | None:
    """Tests what is typed and not saved. For a script the outcome as JSON; else None, and the form shows it."""
    said, tone = _tried(form, merchant_id=merchant_id, live=live, provider=provider, before=before)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(sentence=said, tone=tone)
    form.tried = {"sentence": said, "tone": tone}
    form.show_again()
    return None


def _tried(form: Any, *, merchant_id: Any, live: bool, provider: str, before: bytes | None) -> tuple[str, str]:
    try:
        found = check_settings(
            merchant_id=merchant_id, live=live, provider=provider, given=form.given(), before=before, actor=actor()
        )
    except Refusal as refusal:
        form.refuse(refusal)
        text = formats.said(refusal.message, **refusal.values)
        return f"{text} {formats.said(refusal.advice, **refusal.values)}".strip(), "bad"
    return reached.sentence(found, _name(provider), live), reached.tone(found)


def after_saving(row: Mapping[str, Any]) -> None:
    """New credentials are tested at once; whoever saved them reads what came of it."""
    try:
        found = check_contract(row, actor=actor())
    except (CheckedTooOften, NotCheckable):
        return
    say(reached.sentence(found, _name(row["provider"]), row["live"]), reached.tone(found))


def _name(provider: str) -> str:
    return formats.said(CONNECTORS[provider].LABEL)
