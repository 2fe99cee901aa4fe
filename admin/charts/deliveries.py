"""Deliveries that fail, by endpoint."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin.asked import Asked
from admin.charts.kinds import Column, Drawn, Row
from admin.here import connection, here, staff
from admin.office import url
from app.core.ids import public_id
from app.messages.failing import failing

ORDER = 100
PERMISSION = "delivery.read"


def drawn(asked: Asked) -> Drawn:
    rows = failing(
        connection(),
        live=here().live,
        since=asked.starts,
        until=asked.ends,
        merchants=asked.seen_with(PERMISSION),
    )
    leads = staff().may("merchant.read")
    return Drawn(
        title=_("Failing deliveries"),
        says=_("Webhooks of the period that were given up, and those that wait for another try now."),
        shape="ranks",
        first=_("Endpoint"),
        columns=[
            Column(_("Given up"), "count", "bar", "bad", total=sum(row["given_up"] for row in rows)),
            Column(_("Wait for another try"), "count", total=sum(row["waiting"] for row in rows)),
        ],
        rows=[
            Row(
                row["url"],
                [row["given_up"], row["waiting"]],
                url=url("endpoints.detail", id=public_id("whe", row["id"])) if leads else None,
                more=row["merchant_name"],
            )
            for row in rows
        ],
        empty=_("Every webhook arrives."),
    )


if TYPE_CHECKING:
    from admin.charts import deliveries as _me
    from admin.charts.kinds import Chart

    _check: Chart = _me
