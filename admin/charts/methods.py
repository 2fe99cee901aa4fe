"""Approval rate by method."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin import words
from admin.asked import Asked
from admin.charts.kinds import Drawn
from admin.drawing import approval_by

ORDER = 50
PERMISSION = "payment.read"


def drawn(asked: Asked) -> Drawn:
    return approval_by(
        asked,
        "method",
        lambda row: _(words.METHODS.get(row["key"], row["key"])),
        title=_("Approval rate by method"),
        says=_("By how the payer wanted to pay."),
        first=_("Method"),
        url=lambda row: asked.payments(method=row["key"]),
    )


if TYPE_CHECKING:
    from admin.charts import methods as _me
    from admin.charts.kinds import Chart

    _check: Chart = _me
