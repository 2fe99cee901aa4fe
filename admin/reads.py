"""Who has seen whose personal data: noted while a page is made, told as an event once it is.

What is shown is noted where it is shown (personal.py), so no page can forget to. The same person on the same kind of
page within ten minutes is told once. An event that cannot be written costs nobody their page; it is logged.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis
import structlog
from flask import Flask, Response, g, request

from admin.here import here, is_here
from app.core import queue
from app.core.db import ALL, atomic
from app.core.events import tell
from app.core.ids import public_id

log = structlog.get_logger()

AGAIN_SECONDS = 600
_PREFIXES = {"payment": "pay", "customer": "cus"}


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody whose data stood on the page: `kind` is payment or customer."""

    kind: str
    id: UUID
    merchant_id: UUID
    live: bool

    @property
    def public(self) -> str:
        return public_id(_PREFIXES[self.kind], self.id)


def saw(kind: str, id: UUID, merchant_id: UUID, live: bool) -> None:
    """On the page that is being made stands something personal of the payer of this payment, or of this customer."""
    if "seen" not in g:
        g.seen = {}
    g.seen.setdefault((kind, id), Seen(kind, id, merchant_id, live))


def attach(app: Flask) -> None:
    """Before the guard: what follows an answer runs the other way round, so this is last."""
    app.after_request(_told)


def _told(response: Response) -> Response:
    seen: list[Seen] = list(g.pop("seen", {}).values())
    staff = here().staff if is_here() else None
    if not seen or staff is None or response.status_code >= 400:
        return response
    about_one = "id" in (request.view_args or {})
    told = [(f"{seen[0].kind}.read", seen[:1])] if about_one else []
    listed = seen[1:] if about_one else seen  # who else stands on the page of one
    told += [
        (f"{kind}.listed", of_kind) for kind in _PREFIXES if (of_kind := [one for one in listed if one.kind == kind])
    ]
    for name, wanted in told:
        _tell(name, wanted, staff)
    return response


def _tell(name: str, wanted: list[Seen], staff: Any) -> None:
    try:
        fresh = _not_lately(str(staff.id), name, wanted)
        if fresh:
            _write(name, fresh, staff)
    except Exception as error:  # the page is made; that it was seen stands in the log at least
        log.error(
            "read_not_told",
            told=name,
            actor=staff.actor,
            seen=[one.public for one in wanted],
            error=type(error).__name__,
        )
        _forget(str(staff.id), name, wanted)


def _write(name: str, seen: list[Seen], staff: Any) -> None:
    page = (request.endpoint or "").removeprefix("office_")
    merchants, modes = {one.merchant_id for one in seen}, {one.live for one in seen}
    if name.endswith(".read"):
        subject = (seen[0].kind, seen[0].id)
        data: dict[str, Any] = {seen[0].kind: seen[0].public, "page": page}
    else:
        subject = ("staff", staff.id)
        data = {"page": page, "count": len(seen), f"{seen[0].kind}s": [one.public for one in seen]}
    with atomic(ALL):  # of several merchants it belongs to none of them
        tell(
            name,
            subject=subject,
            merchant_id=merchants.pop() if len(merchants) == 1 else None,
            live=modes.pop() if len(modes) == 1 else None,
            audience="staff",
            data=data,
            actor=staff.actor,
        )


def _not_lately(staff: str, name: str, seen: list[Seen]) -> list[Seen]:
    """Those that were not told of this user within ten minutes. Without Redis all of them: rather twice than never."""
    try:
        with queue.connection().pipeline(transaction=False) as pipe:
            for one in seen:
                pipe.set(_key(staff, name, one), b"1", nx=True, ex=AGAIN_SECONDS)
            return [one for one, is_new in zip(seen, pipe.execute(), strict=True) if is_new]
    except redis.RedisError:
        return seen


def _forget(staff: str, name: str, seen: list[Seen]) -> None:
    try:
        queue.connection().delete(*(_key(staff, name, one) for one in seen))
    except redis.RedisError:
        pass  # they end by themselves


def _key(staff: str, name: str, one: Seen) -> str:
    return f"zahlwerk:read:{staff}:{name}:{one.id}"
