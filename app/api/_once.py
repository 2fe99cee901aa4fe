"""Idempotency keys at the door: reading them, and rendering what a repeated request made the first time."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy import Select, select

from app.api._callers import scope, tenant
from app.core.clock import now
from app.core.db import reading
from app.core.errors import NotFound, Refusal
from app.core.idempotency import Once, StillRunning
from app.core.texts import N_
from app.payments.queries import OPERATIONS
from app.payments.resolve import resolve

_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")


class BadIdempotencyKey(Refusal):
    code = "bad_idempotency_key"
    message = N_("This Idempotency-Key cannot be used.")
    advice = N_("Send 1 to 255 visible ASCII characters, for example a UUID.")


def once(body: bytes | None = None) -> Once | None:
    """The caller's wish to have this request done once; None without the header. Raises BadIdempotencyKey.

    `body`: what stands for the body where its bytes differ from one time to the next (multipart).
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _VISIBLE.fullmatch(key):
        raise BadIdempotencyKey(param="Idempotency-Key")
    return Once(key, f"{request.method} {request.path}", request.get_data() if body is None else body)


def settled(query: Select[Any]) -> list[dict[str, Any]]:
    """Operations (rows of `query`) as they are now, for a request that comes again.

    One that still runs holds a lease: StillRunning. If its process died (submitted, and the lease is over), the
    provider is asked first.
    """
    rows = _read(query)
    dead = [row for row in rows if row["state"] == "submitted" and not _runs(row)]
    for row in dead:
        resolve(row["id"], **tenant())
    return _read(query) if dead else rows


def _read(query: Select[Any]) -> list[dict[str, Any]]:
    with reading(scope()) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def _runs(operation: dict[str, Any]) -> bool:
    """Raises StillRunning while somebody holds the operation's lease."""
    left = (operation["leased_until"] - now()).total_seconds() if operation["leased_until"] else 0
    if left > 0:
        raise StillRunning(retry_after=min(5, int(left) + 1))
    return False


def of_payment(payment_id: UUID, kinds: Sequence[str]) -> Select[Any]:
    """The newest operation of these kinds under a payment."""
    newest = OPERATIONS.c.id.desc()
    return (
        select(OPERATIONS)
        .where(OPERATIONS.c.payment_id == payment_id, OPERATIONS.c.kind.in_(kinds))
        .order_by(newest)
        .limit(1)
    )


def found(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        raise NotFound()
    return rows[0]
