"""Declines by reason."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin import formats
from admin.asked import Asked
from admin.charts.kinds import Column, Drawn, Row
from admin.drawing import share

ORDER = 30
PERMISSION = "payment.read"


def drawn(asked: Asked) -> Drawn:
    found = sorted((row for row in asked.attempts if row["by"] == "code"), key=lambda row: -row["attempts"])
    whole = sum(row["attempts"] for row in found)
    return Drawn(
        title=_("Declines by reason"),
        says=_("Why banks and providers said no, in all currencies."),
        shape="ranks",
        first=_("Reason"),
        columns=[
            Column(_("Declined"), "count", "bar", "bad", total=whole),
            Column(_("Share"), "share", total=share(whole, whole)),
        ],
        rows=[
            Row(
                formats.code(row["key"]) or _("No reason given"),
                [row["attempts"], share(row["attempts"], whole)],
                url=asked.payments(status="failed"),
            )
            for row in found
        ],
        empty=_("Nothing was declined in this period."),
    )


if TYPE_CHECKING:
    from admin.charts import declines as _me
    from admin.charts.kinds import Chart

    _check: Chart = _me
