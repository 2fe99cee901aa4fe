"""Chargebacks, and what was won back."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin.asked import Asked
from admin.charts.kinds import Drawn
from admin.drawing import amounts, counts, over_time

ORDER = 90
PERMISSION = "payment.read"


def drawn(asked: Asked) -> Drawn:
    return over_time(
        asked,
        amounts(asked, _("Charged back"), "charged_back", draw="bar", tone="bad"),
        counts(asked, _("Chargebacks"), "charged_back"),
        amounts(asked, _("Won back"), "reversed", draw="line", tone="good"),
        counts(asked, _("Chargeback reversals"), "reversed"),
        title=_("Chargebacks"),
        says=_("What payers' banks took back, and what they returned after a dispute."),
        statuses=("charged_back",),
    )


if TYPE_CHECKING:
    from admin.charts import chargebacks as _me
    from admin.charts.kinds import Chart

    _check: Chart = _me
