"""Who calls, how often, and whether they may: runs before every request under `/v1`.

Each route names the permission it needs with `@needs(...)`; a route that names none is refused at start-up.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from flask import Flask, Response, current_app, g, request

from app.api._upload import allow_its_size
from app.approvals.ask import permit, promised
from app.approvals.kinds import Asker
from app.config import settings
from app.core.db import Scope, of
from app.core.errors import Refusal
from app.core.ids import public_id
from app.core.limiter import Standing, limiter, who_is_at
from app.core.limits import Allowance, Allowances, limit_of
from app.core.logs import about
from app.core.origin import came_from
from app.core.texts import N_
from app.core.web import request_id
from app.merchants.keys import PERMISSIONS, Caller, authenticate
from app.payments.permit import Permit, always

View = TypeVar("View", bound=Callable[..., Any])

# Routes under /v1 that need no key: the description of the API itself.
OPEN_TO_ALL = frozenset({"spec.read"})

# An address without a valid key may ask a fiftieth as often.
WITHOUT_KEY_SHARE = 50

_ATTRIBUTE = "needed_permission"


class KeyNeeded(Refusal):
    """The same answer for a missing, malformed, unknown, revoked and expired key."""

    kind = "authentication"
    status = 401
    code = "key_needed"
    message = N_("This needs a valid secret key.")
    advice = N_("Send “Authorization: Bearer sk_test_…” with a key from the back office.")


class PermissionMissing(Refusal):
    kind = "permission"
    status = 403
    code = "permission_missing"
    message = N_("This key may not do this: it lacks the permission %(permission)s.")
    advice = N_("Use a key that has it, or add it in the back office.")


class CaptureNotYours(Refusal):
    kind = "permission"
    status = 403
    code = "capture_not_permitted"
    message = N_("This key may not make a payment that captures itself: it lacks the permission payment.capture.")
    advice = N_("Send capture “manual”, or use a key that may capture.")


class TooManyRequests(Refusal):
    kind = "rate_limit"
    status = 429
    code = "too_many_requests"
    message = N_("Too many requests: at most %(limit)s a minute.")
    advice = N_("Wait for the seconds in Retry-After.")


class PermissionNotDeclared(AssertionError):
    """A route under /v1 without `@needs(...)`."""


def needs(permission: str) -> Callable[[View], View]:
    """Declares the permission a route needs."""
    assert permission in PERMISSIONS, permission

    def declare(view: View) -> View:
        setattr(view, _ATTRIBUTE, permission)
        return view

    return declare


def needed(app: Flask) -> dict[str, str]:
    """Endpoint -> permission, for every route of every resource. Raises PermissionNotDeclared."""
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/v1/") and rule.endpoint not in OPEN_TO_ALL:
            permission = getattr(app.view_functions[rule.endpoint], _ATTRIBUTE, None)
            if permission is None:
                raise PermissionNotDeclared(f"{rule.endpoint} ({rule.rule}) declares no permission")
            found[rule.endpoint] = permission
    return found


def guard() -> None:
    """Before every request of a resource: authenticate, count, check the permission, set the limit of the body.

    Raises KeyNeeded, TooManyRequests, PermissionMissing.
    """
    caller = _authenticated()
    if caller is None:
        _count(who_is_at(request.remote_addr), max(10, settings().api_requests_per_minute // WITHOUT_KEY_SHARE))
        raise KeyNeeded()
    g.caller = caller
    g.actor = f"key:{public_id('key', caller.key_id)}"
    about(actor=g.actor)
    came_from({"ip_address": request.remote_addr or "", "request_id": request_id()})
    _count(f"key:{caller.key_id}", settings().api_requests_per_minute)
    permission = getattr(current_app.view_functions[request.endpoint or ""], _ATTRIBUTE)
    if permission not in caller.permissions:
        raise PermissionMissing(permission=permission)
    allow_its_size()


def _authenticated() -> Caller | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret or len(secret) > 200 or not secret.isascii():
        return None
    return authenticate(secret)


def _count(who: str, limit: int) -> None:
    g.standing = standing = limiter().count(who, limit)
    if standing.exceeded:
        raise TooManyRequests(limit=limit, retry_after=standing.retry_after)


def show_standing(response: Response) -> Response:
    """After every request of a resource: how many requests are left in this minute; and nothing is kept by caches."""
    standing: Standing | None = g.get("standing")
    if standing is not None:
        response.headers["X-RateLimit-Limit"] = str(standing.limit)
        response.headers["X-RateLimit-Remaining"] = str(standing.remaining)
        response.headers["X-RateLimit-Reset"] = str(standing.reset)
    response.headers["Cache-Control"] = "no-store"
    return response


def caller() -> Caller:
    return g.caller


def actor() -> str:
    """Who did it, for operations and events: `key:key_…`."""
    return g.actor


def scope() -> Scope:
    return of(g.caller.merchant_id, g.caller.live)


def tenant() -> dict[str, Any]:
    """`merchant_id` and `live`, as operations take them."""
    return {"merchant_id": g.caller.merchant_id, "live": g.caller.live}


def asker() -> Asker:
    """The key, as approvals know it."""
    who: Caller = g.caller

    def limits(permission: str, _merchant_id: UUID, currency: str) -> Allowances:
        return (Allowance(limit_of(who.limits, permission, currency)),)

    def may(permission: str, _merchant_id: UUID) -> bool:
        return permission in who.permissions

    return Asker(g.actor, limits, key_id=who.lineage, strict=True, may=may)


def permitted(reason: str | None = None) -> Permit:
    """What the key's limits and the rules of four eyes say to a command: it may go on, is refused, or waits."""
    return permit(asker(), reason=reason or "")


def may_capture_itself(capture: str) -> Permit:
    """For a payment that is to be made; `capture`: manual, automatic or scheduled. One that captures itself is a
    capture by whoever makes it: it takes the same permission and counts towards the same limits.

    Raises CaptureNotYours.
    """
    if capture == "manual":
        return always
    if "payment.capture" not in g.caller.permissions:
        raise CaptureNotYours(param="capture")
    return promised(asker())
