"""Volume: what was captured, beside what was authorised."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin.asked import Asked
from admin.charts.kinds import Drawn
from admin.drawing import amounts, counts, over_time

ORDER = 10
PERMISSION = "payment.read"


def drawn(asked: Asked) -> Drawn:
    return over_time(
        asked,
        amounts(asked, _("Captured"), "captured", draw="bar", tone="good"),
        counts(asked, _("Captures"), "captured"),
        amounts(asked, _("Authorised"), "authorised", draw="line", tone="calm"),
        counts(asked, _("Authorisations"), "authorised"),
        title=_("Volume"),
        says=_("What was captured and authorised, by when it was asked for."),
        statuses=("captured", "partially_captured", "partially_refunded", "refunded"),
    )


if TYPE_CHECKING:
    from admin.charts import volume as _me
    from admin.charts.kinds import Chart

    _check: Chart = _me
