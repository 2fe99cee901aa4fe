"""How deep queues were."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin.asked import Asked
from admin.charts.kinds import Column, Drawn, Row, Value
from admin.here import connection
from app.core.texts import N_
from app.figures import queries

ORDER = 110
PERMISSION = "job.read"


# In the order in which work passes through them: what each queue is called, and its colour.
QUEUES = {
    "events": (N_("Events"), "calm"),
    "webhooks": (N_("Webhooks"), "good"),
    "mails": (N_("Mails"), "back"),
    "jobs_deliveries": (N_("Pressing jobs"), "bad"),
    "jobs_default": (N_("Other jobs"), "wait"),
}


def drawn(asked: Asked) -> Drawn:
    deepest: dict[str, dict[int, int]] = {name: {} for name in QUEUES}
    for row in queries.depths(connection(), [cut.bucket for cut in asked.cuts]):
        deepest.setdefault(row["queue"], {})[row["bucket"]] = row["deepest"]
    columns = [
        Column(_(label), "count", "line", tone, total=max(deepest[name].values(), default=None))
        for name, (label, tone) in QUEUES.items()
    ]
    rows = []
    for place, cut in enumerate(asked.cuts):
        values: list[Value] = [deepest[name].get(place) for name in QUEUES]
        rows.append(Row(cut.label, values, cut.short, cut.key))
    return Drawn(
        title=_("Queue depth"),
        says=_("The most that waited at once, measured every minute."),
        shape="series",
        first=_("When"),
        columns=columns,
        rows=rows,
        empty=_("Nothing was measured in this period."),
    )


if TYPE_CHECKING:
    from admin.charts import queues as _me
    from admin.charts.kinds import Chart

    _check: Chart = _me
