"""Endpoints whose deliveries fail: how many were given up in a period, and how many wait for another try now."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, text

# Partial indexes lead to what failed and what waits; beyond this many nobody counts on.
MOST = 1000

_FAILING = """
    SELECT e.id, e.url, m.name AS merchant_name, failed.number AS given_up, again.number AS waiting
    FROM webhook_endpoints e
    JOIN merchants m ON m.id = e.merchant_id
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
        SELECT 1 FROM deliveries d WHERE d.endpoint_id = e.id AND d.state = 'failed'
               AND d.created_at >= :since AND d.created_at < :until LIMIT :most) d) failed
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
        SELECT 1 FROM deliveries d WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.attempts > 0
               LIMIT :most) d) again
    WHERE e.live = :live AND e.deleted_at IS NULL AND failed.number + again.number > 0 {narrowed}
    ORDER BY failed.number DESC, again.number DESC, e.url LIMIT 50
    """
_ALL = text(_FAILING.format(narrowed=""))
_OF_SOME = text(_FAILING.format(narrowed="AND e.merchant_id = ANY (CAST(:merchants AS uuid[]))"))


def failing(
    connection: Connection, *, live: bool, since: datetime, until: datetime, merchants: Sequence[UUID] | None = None
) -> Sequence[RowMapping]:
    """Rows (id, url, merchant_name, given_up, waiting), the worst first; each counts up to MOST."""
    given = {"live": live, "since": since, "until": until, "most": MOST}
    if merchants is None:
        return connection.execute(_ALL, given).mappings().all()
    return connection.execute(_OF_SOME, {**given, "merchants": list(merchants)}).mappings().all()
