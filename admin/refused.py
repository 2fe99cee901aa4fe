"""Who was refused a page: told as an event, the same page and person once in ten minutes (as reads are, reads.py).

A refusal is an answer like any other; an event that cannot be written costs nobody theirs, and is logged.
"""

import redis
import structlog
from flask import Flask, Response, current_app, request

from admin.here import here, is_here
from app.core import queue
from app.core.db import ALL, atomic
from app.core.events import tell

log = structlog.get_logger()

AGAIN_SECONDS = 600


def attach(app: Flask) -> None:
    app.after_request(_told)


def _told(response: Response) -> Response:
    staff = here().staff if is_here() else None
    if response.status_code != 403 or staff is None:
        return response
    page = (request.endpoint or "").removeprefix("office_")
    needed = getattr(current_app.view_functions.get(request.endpoint or ""), "permission", None)
    try:
        if _not_lately(f"{staff.id}:{request.method}:{page}"):
            with atomic(ALL):
                tell(
                    "access.refused",
                    subject=("staff", staff.id),
                    merchant_id=None,
                    live=None,
                    audience="staff",
                    data={"page": page, "method": request.method, "permission": needed, **(request.view_args or {})},
                    actor=staff.actor,
                )
    except Exception as error:
        log.error("refusal_not_told", page=page, actor=staff.actor, error=type(error).__name__)
    return response


def _not_lately(what: str) -> bool:
    """Without Redis it is rather told twice than never."""
    try:
        return bool(queue.connection().set(f"zahlwerk:refused:{what}", b"1", nx=True, ex=AGAIN_SECONDS))
    except redis.RedisError:
        return True
