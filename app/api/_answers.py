"""Answers: JSON from the pictures that rooms draw, pages of lists, and the statuses of operations."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import ColumnElement, Connection, Select

from app.api._callers import scope
from app.api._faults import BadInput
from app.api._input import Page
from app.core.db import reading
from app.core.errors import NotFound
from app.core.ids import parse_id, public_id
from app.core.texts import N_

Picture = Mapping[str, Any]

# States of an operation whose outcome nobody knows yet: answered with 202.
UNDECIDED = frozenset({"created", "pending_approval", "submitted", "pending", "unknown"})


class BadCursor(BadInput):
    code = "bad_cursor"
    message = N_("This does not continue any list.")
    advice = N_("Send `next` of the answer before, unchanged.")


def answer(picture: Picture, status: int = 200, *, repeated: bool = False) -> Response:
    """A picture as JSON. `repeated`: this Idempotency-Key did its work before; this is what became of it."""
    body = json.dumps(picture, ensure_ascii=False, separators=(",", ":"))
    response = Response(body, status, content_type="application/json")
    if repeated:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def newest_first(
    connection: Connection,
    query: Select[Any],
    column: ColumnElement[UUID],
    prefix: str,
    page: Page,
    draw: Callable[[Mapping[str, Any]], Picture],
) -> Response:
    """One page of `query`, by falling id. `column` is the id, `prefix` that of its public form."""
    if page.after is not None:
        query = query.where(column < cursor(prefix, page.after))
    rows = connection.execute(query.order_by(column.desc()).limit(page.limit + 1)).mappings().all()
    shown = [dict(row) for row in rows[: page.limit]]
    return listed(map(draw, shown), public_id(prefix, shown[-1]["id"]) if len(rows) > page.limit else None)


def read_one(query: Select[Any], param: str | None = None) -> dict[str, Any]:
    """The row of `query` in the caller's scope. Raises NotFound."""
    with reading(scope()) as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(param=param)
    return dict(row)


def cursor(prefix: str, after: str) -> UUID:
    """Raises BadCursor."""
    try:
        return parse_id(prefix, after)
    except NotFound:
        raise BadCursor(param="after") from None


def first_id_at(moment: datetime) -> UUID:
    """The lowest id that can have been made at or after a moment: ids begin with their milliseconds (RFC 9562)."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def listed(pictures: Iterable[Picture], next_: str | None) -> Response:
    return answer({"data": list(pictures), "next": next_})


def status_of(operations: Iterable[Mapping[str, Any]], decided: int) -> int:
    """202 while one of them is undecided, else `decided`."""
    return 202 if any(operation["state"] in UNDECIDED for operation in operations) else decided


def id_in(prefix: str, text: str | None, param: str) -> UUID | None:
    """An id inside a body or query. Raises NotFound that names the field."""
    if text is None:
        return None
    try:
        return parse_id(prefix, text)
    except NotFound:
        raise NotFound(param=param) from None
