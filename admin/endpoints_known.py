"""Webhook endpoints of the mode that is looked at, for filters."""

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from admin.here import connection, here
from admin.listing import Choice, ids_of
from app.core.ids import public_id
from app.messages.endpoints import ENDPOINTS

_MOST = 200


def choice() -> Choice:
    return Choice(_("Endpoint"), ("address",), options=_options(), many=False, more=_called)


def _options() -> dict[str, str]:
    """Public id -> address."""
    query = select(ENDPOINTS.c.id, ENDPOINTS.c.url).where(
        ENDPOINTS.c.live == here().live, ENDPOINTS.c.deleted_at.is_(None)
    )
    rows = connection().execute(query.order_by(ENDPOINTS.c.url).limit(_MOST)).all()
    return {public_id("whe", row.id): row.url for row in rows}


def _called(keys: Sequence[str]) -> dict[str, str]:
    """Also of those that were deleted: what was sent to them is still there."""
    query = select(ENDPOINTS.c.id, ENDPOINTS.c.url).where(ENDPOINTS.c.id.in_(ids_of("whe", keys)))
    return {public_id("whe", row.id): row.url for row in connection().execute(query)}
