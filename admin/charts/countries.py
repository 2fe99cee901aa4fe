"""Approval rate by the country of the card."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin.asked import Asked
from admin.charts.kinds import Drawn
from admin.drawing import approval_by
from admin.here import here

ORDER = 60
PERMISSION = "payment.read"


def drawn(asked: Asked) -> Drawn:
    names = here().locale.territories
    return approval_by(
        asked,
        "country",
        lambda row: names.get(row["key"], row["key"]) or _("Unknown, or no card"),
        title=_("Approval rate by country"),
        says=_("By the country in which the card was issued, as far as the provider tells it."),
        first=_("Country"),
    )


if TYPE_CHECKING:
    from admin.charts import countries as _me
    from admin.charts.kinds import Chart

    _check: Chart = _me
