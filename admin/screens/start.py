"""The start page: open work first, then today's numbers, each a link to its rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import RowMapping, select

from admin import counts, formats
from admin.asked import Asked
from admin.here import connection, here, staff
from admin.office import url
from admin.panel import Panel
from admin.screen import Entry, Screen, page
from admin.screens.figures import USUAL_DAYS, panel
from app.approvals.usual import is_watched
from app.config import settings
from app.core.clock import now
from app.core.db import ALL, table_of
from app.core.texts import N_
from app.payments.figures import started_since
from app.payments.models import Dispute
from app.payments.queries import OPERATIONS, PAYMENTS
from app.payments.search import Filters, listed
from app.payments.worklist import SENT_AT, WAITS_FOR_STAFF
from app.staff.permissions import SELF

DISPUTES = table_of(Dispute)
_OPEN = ("inquiry", "charged_back")
_PAID = ("authorised", "partially_captured", "captured", "partially_refunded", "refunded", "charged_back")


@dataclass(frozen=True, slots=True)
class Tile:
    """One number. `kind`: "", open or urgent; without `url` it leads nowhere."""

    what: str
    num: str
    more: str
    url: str | None
    kind: str = ""
    icon: str = ""


class Start(Screen):
    address = ""
    entry = Entry("top", 10, N_("Overview"), "home")

    @page("/", SELF)
    def index(self) -> str:
        may = staff().may
        return self.show(
            "start",
            title=_("Overview"),
            work=_open_work(),
            today=_today() if may("payment.read") else [],
            volume=_volume() if may("payment.read") else None,
            latest=_latest() if may("payment.read") else [],
            deadlines=_deadlines() if may("dispute.read") else [],
        )


def _volume() -> Panel:
    """The chart of the last 30 days; the other charts and periods stand at Figures."""
    today = here().today
    return panel("volume", Asked(today - timedelta(days=USUAL_DAYS - 1), today))


def _open_work() -> list[Tile]:
    """What waits for somebody, the most urgent first; nothing is shown for what is done."""
    may, work = staff().may, counts.open_work(here().live)
    tiles: list[Tile] = []
    if may("job.read") and work["alarms"]:
        tiles.append(_tile(N_("Nightly checks that found something"), work["alarms"], "", "jobs", "urgent", "warning"))
    expected = settings().usual_rules and staff().scope("approval.rules") == ALL
    if expected and not is_watched(connection()):
        what, more = _("No rules for approvals"), _("One person alone can change where money goes.")
        tiles.append(Tile(what, "0", more, url("approval_rules.index"), "urgent", "shield"))
    if may("payment.read") and work["unknown"]:
        oldest = _first(select(SENT_AT).where(WAITS_FOR_STAFF, OPERATIONS.c.live == here().live).order_by(SENT_AT))
        more = _("the oldest for %(age)s", age=formats.age(oldest)) if oldest else ""
        tiles.append(_tile(N_("Operations without an answer"), work["unknown"], more, "unknown", "urgent", "question"))
    if may("dispute.read") and work["disputes"]:
        tiles.append(_disputes(work["disputes"]))
    if may("payment.read") and work["reviews"]:
        tiles.append(_tile(N_("Payments held for review"), work["reviews"], "", "reviews", "open", "shield"))
    if may("payment.read") and work["over"]:
        tiles.append(_tile(N_("Too much taken or given back"), work["over"], "", "over", "urgent", "scales"))
    if may("approval.decide") and (waiting := counts.to_decide(here().live)):
        tiles.append(_tile(N_("Requests for approval"), waiting, "", "approvals", "open", "done"))
    if may("merchant.read") and work["endpoints"]:
        tiles.append(_tile(N_("Failing webhook endpoints"), work["endpoints"], "", "endpoints", "urgent", "hook"))
    if may("job.read") and work["jobs"]:
        tiles.append(_tile(N_("Failed jobs"), work["jobs"], "", "jobs", "open", "gear"))
    return tiles


def _tile(what: str, number: int, more: str, screen: str, kind: str, icon: str) -> Tile:
    return Tile(_(what), formats.number(number), more, url(f"{screen}.index"), kind, icon)


def _disputes(number: int) -> Tile:
    due = _first(
        select(DISPUTES.c.respond_by)
        .where(DISPUTES.c.state.in_(_OPEN), DISPUTES.c.live == here().live, DISPUTES.c.respond_by > now())
        .order_by(DISPUTES.c.respond_by)
    )
    more = _("next deadline %(day)s", day=formats.deadline_day({"respond_by": due})) if due else ""
    return _tile(N_("Open disputes"), number, more, "disputes", "urgent", "scales")


def _latest() -> Sequence[RowMapping]:
    return listed(connection(), Filters(live=here().live), limit=8).rows


def _deadlines() -> Sequence[RowMapping]:
    """The open disputes that must be answered first."""
    query = (
        select(DISPUTES, PAYMENTS.c.merchant_reference)
        .join(PAYMENTS, PAYMENTS.c.id == DISPUTES.c.payment_id)
        .where(DISPUTES.c.state.in_(_OPEN), DISPUTES.c.live == here().live)
        .order_by(DISPUTES.c.respond_by.asc().nulls_last())
    )
    return connection().execute(query.limit(6)).mappings().all()


def _first(query: Any) -> Any:
    return connection().execute(query.limit(1)).scalar()


def _today() -> list[Tile]:
    midnight = datetime.now(here().zone).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = started_since(connection(), midnight, live=here().live)
    since = midnight.date().isoformat()

    def rows_of(*statuses: str) -> str:
        return url("payments.index", since=since, status=list(statuses) or None)

    count: Counter[str] = Counter()
    for row in rows:
        count[row["status"]] += row["count"]
    paid, failed = sum(count[status] for status in _PAID), count["failed"]
    tried = paid + failed
    share = _("%(share)s %% approved", share=round(100 * paid / tried)) if tried else _("none tried yet")
    return [
        Tile(_("Payments started"), formats.number(sum(count.values())), _amounts(rows, "amount"), rows_of()),
        Tile(_("Approved"), formats.number(paid), share, rows_of(*_PAID)),
        Tile(
            _("Captured"),
            _amounts(rows, "captured"),
            "",
            rows_of("captured", "partially_captured", "partially_refunded", "refunded"),
        ),
        Tile(_("Refunded"), _amounts(rows, "refunded"), "", rows_of("partially_refunded", "refunded")),
        Tile(_("Failed"), formats.number(failed), "", rows_of("failed")),
    ]


def _amounts(rows: list[RowMapping], column: str) -> str:
    """Sums per currency, euros first: "1.234,00 € · 300 ¥"."""
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["currency"]] += row[column]
    ours_first = sorted(sums.items(), key=lambda item: (item[0] != "EUR", -item[1]))
    shown = [formats.money(amount, currency) for currency, amount in ours_first[:3] if amount]
    return " · ".join(shown) or formats.money(0, "EUR")


SCREEN = Start

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import start as _me

    _check: ScreenModule = _me
