"""Requests that wait for a second pair of eyes at this moment, by what is asked for."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from admin import approval_words
from admin.asked import Asked
from admin.charts.kinds import Column, Drawn, Row
from admin.formats import age
from admin.here import connection, here
from admin.office import url
from app.approvals.ask import REQUESTS

ORDER = 70
PERMISSION = "approval.read"


def drawn(asked: Asked) -> Drawn:
    """Those of no merchant (users' rights) are there unless the page is narrowed to some."""
    waiting = func.count().label("waiting")
    query = (
        select(REQUESTS.c.action, waiting, func.min(REQUESTS.c.requested_at).label("oldest"))
        .where(REQUESTS.c.state == "pending", or_(REQUESTS.c.live.is_(None), REQUESTS.c.live == here().live))
        .group_by(REQUESTS.c.action)
        .order_by(waiting.desc(), REQUESTS.c.action)
    )
    merchants = asked.seen_with(PERMISSION)
    if merchants is not None:
        query = query.where(REQUESTS.c.merchant_id.in_(merchants))
    rows = connection().execute(query).mappings().all()
    return Drawn(
        title=_("Open approvals"),
        says=_("What waits for a second pair of eyes now, whatever the period."),
        shape="ranks",
        first=_("Action"),
        columns=[Column(_("Waiting"), "count", "bar", "wait", total=sum(row["waiting"] for row in rows))],
        rows=[
            Row(
                approval_words.name(dict(row)),
                [row["waiting"]],
                url=url("approvals.index"),
                more=_("the oldest for %(age)s", age=age(row["oldest"])),
            )
            for row in rows
        ],
        empty=_("Nothing waits for approval."),
    )


if TYPE_CHECKING:
    from admin.charts import approvals as _me
    from admin.charts.kinds import Chart

    _check: Chart = _me
