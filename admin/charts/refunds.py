"""Refunds."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin.asked import Asked
from admin.charts.kinds import Drawn
from admin.drawing import amounts, counts, over_time

ORDER = 80
PERMISSION = "payment.read"


def drawn(asked: Asked) -> Drawn:
    return over_time(
        asked,
        amounts(asked, _("Refunded"), "refunded", draw="bar", tone="back"),
        counts(asked, _("Refunds"), "refunded"),
        title=_("Refunds"),
        says=_("What went back to payers, by when it was asked for."),
        statuses=("partially_refunded", "refunded"),
    )


if TYPE_CHECKING:
    from admin.charts import refunds as _me
    from admin.charts.kinds import Chart

    _check: Chart = _me
