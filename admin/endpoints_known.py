"""Webhook endpoints of the mode that is looked at, for filters."""

from sqlalchemy import select

from admin.here import connection, here
from app.core.ids import public_id
from app.messages.endpoints import ENDPOINTS

_MOST = 200


def options() -> dict[str, str]:
    """Public id -> address."""
    query = select(ENDPOINTS.c.id, ENDPOINTS.c.url).where(
        ENDPOINTS.c.live == here().live, ENDPOINTS.c.deleted_at.is_(None)
    )
    rows = connection().execute(query.order_by(ENDPOINTS.c.url).limit(_MOST)).all()
    return {public_id("whe", row.id): row.url for row in rows}
