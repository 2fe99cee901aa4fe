"""What waits for somebody's decision."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from app.approvals.approvers import may_decide
from app.approvals.ask import REQUESTS
from app.staff.access import Staff

MOST = 200


def decidable(connection: Connection, checker: Staff, *, live: bool) -> Sequence[Mapping[str, Any]]:
    """Requests that `checker` may decide about, what ends soonest first; of no merchant in both modes.

    Of the `MOST` that end soonest: whoever has more to decide comes back.
    """
    query = (
        select(REQUESTS)
        .where(REQUESTS.c.state == "pending", REQUESTS.c.live.is_(None) | (REQUESTS.c.live == live))
        .order_by(REQUESTS.c.expires_at)
        .limit(MOST)
    )
    found = [dict(row) for row in connection.execute(query).mappings()]
    return [one for one in found if may_decide(connection, checker, one)]
