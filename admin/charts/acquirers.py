"""Approval rate by acquirer: contracts of the same name at the same provider are one."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin.asked import Asked
from admin.charts.kinds import Drawn
from admin.drawing import approval_by

ORDER = 40
PERMISSION = "payment.read"


def drawn(asked: Asked) -> Drawn:
    return approval_by(
        asked,
        "contract",
        lambda row: row["label"] or _("A contract that is gone"),
        title=_("Approval rate by acquirer"),
        says=_("By the contract at which an attempt was made."),
        first=_("Acquirer"),
    )


if TYPE_CHECKING:
    from admin.charts import acquirers as _me
    from admin.charts.kinds import Chart

    _check: Chart = _me
