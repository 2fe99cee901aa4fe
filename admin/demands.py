"""What is asked of somebody who is logged in and may do this, before they do it: a second factor where their role
needs one, and to show again who they are where money, rights or keys are at stake."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin import kept, present
from admin.here import staff
from app.config import settings
from app.core.clock import now
from app.staff import sessions
from app.staff.sessions import SEEN_EVERY

# Where somebody without the second factor they need may go: to set one up, or out.
_SETTING_UP = frozenset({"security.logout", "office.choose_language", "entrance.confirm", "entrance.confirm_options"})
_SETTING_UP_SCREENS = ("office_login_safety", "office_authenticator", "office_passkeys")


def noticed() -> None:
    """The session was seen just now; at most one write a minute."""
    log_in = present.log_in()
    if log_in is not None and now() - log_in.seen_at > SEEN_EVERY:
        sessions.seen(log_in.session_id, request.remote_addr)


def made_first() -> AnyResponse | None:
    """Where to go before what was asked for; None: it can be done now."""
    log_in = present.log_in()
    if log_in is None:
        return None
    endpoint = request.endpoint or ""
    if log_in.must_set_up and not _sets_up(endpoint):
        return redirect(url_for("office_login_safety.index"))
    if getattr(current_app.view_functions.get(endpoint), "fresh", False) and not is_fresh():
        return redirect(_confirmation(), code=303)
    return None


def is_fresh() -> bool:
    return now() - present.my_log_in().confirmed_at <= timedelta(minutes=settings().fresh_log_in_minutes)


def _sets_up(endpoint: str) -> bool:
    return endpoint in _SETTING_UP or endpoint.partition(".")[0] in _SETTING_UP_SCREENS


def _confirmation() -> str:
    """The page that asks who it is, which leads back to the form with what was typed."""
    if request.method == "GET":
        return url_for("entrance.confirm", next=request.full_path.rstrip("?"))
    rule = request.url_rule
    if rule is not None and "GET" in (rule.methods or ()):
        back, name = request.full_path.rstrip("?"), kept.keep(request.form, staff().id)
    else:  # a button on some page: back to that page
        referrer = urlsplit(request.referrer or "")
        back, name = (f"{referrer.path}?{referrer.query}" if referrer.query else referrer.path), None
    return url_for("entrance.confirm", next=back or None, typed=name, sent=1)
