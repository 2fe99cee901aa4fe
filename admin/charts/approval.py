"""Approval rate: how many of the answered attempts were approved."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin.asked import Asked
from admin.charts.kinds import Column, Drawn, Value
from admin.drawing import Over, over_time, share

ORDER = 20
PERMISSION = "payment.read"


def drawn(asked: Asked) -> Drawn:
    """Counts of all currencies."""
    approved, declined = (asked.series(f"{name}_count", every_currency=True) for name in ("authorised", "declined"))
    all_approved, all_declined = (asked.total(f"{name}_count") for name in ("authorised", "declined"))
    rates: list[Value] = [share(yes, yes + no) for yes, no in zip(approved, declined, strict=True)]
    whole = share(all_approved, all_approved + all_declined)
    return over_time(
        asked,
        Over(Column(_("Approval rate"), "share", "line", "good", whole), rates),
        Over(Column(_("Approved"), "count", total=all_approved), approved),
        Over(Column(_("Declined"), "count", total=all_declined), declined),
        title=_("Approval rate"),
        says=_("How many of the attempts that a bank answered it approved, in all currencies."),
    )


if TYPE_CHECKING:
    from admin.charts import approval as _me
    from admin.charts.kinds import Chart

    _check: Chart = _me
