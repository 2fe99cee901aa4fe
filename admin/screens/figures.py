"""Figures: charts of a period, each with its table and a file. The charts stand on a shelf of their own."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy import select

from admin import formats, merchants_known
from admin.asked import Asked
from admin.chart_files import file_of
from admin.charts import CHARTS
from admin.guard import NotAllowed
from admin.here import connection, here, staff
from admin.listing import Choice, Filters, Period
from admin.office import url
from admin.panel import Panel
from admin.screen import Entry, Screen, page
from admin.totals import totals
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.money import EXPONENTS
from app.core.runs import JobRun
from app.core.texts import N_

LONGEST_DAYS = 3660
USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class Preset:
    """A period to choose with one click."""

    label: str
    url: str
    current: bool


class Figures(Screen):
    address = "figures"
    entry = Entry("top", 30, N_("Figures"), "bars")

    @page("/", "payment.read")
    def index(self) -> str:
        period, merchant, filters, asked = _read()
        currency = Choice(_("Currency"), ("currency",), options=_currencies(asked), many=False)
        may = staff().may
        return self.show(
            "figures",
            title=_("Figures"),
            filters=Filters(period, merchant, currency),
            presets=_presets(filters, asked),
            days=_named(asked),
            also=[(one, filters.url(currency=one)) for one in asked.currencies if one != asked.currency],
            currency=asked.currency,
            rolled_up=_rolled_up(),
            totals=totals(asked),
            panels=[panel(name, asked) for name in in_order() if may(CHARTS[name].PERMISSION)],
        )

    @page("/<id>.csv", "payment.read")
    def file(self, id: str) -> Response:
        """The table of one chart."""
        if id not in in_order():
            raise NotFound()
        if not staff().may(CHARTS[id].PERMISSION):
            raise NotAllowed()
        asked = _read()[-1]
        return file_of(id, CHARTS[id].drawn(asked), asked)


def in_order() -> list[str]:
    return sorted(CHARTS, key=lambda name: CHARTS[name].ORDER)


def panel(name: str, asked: Asked) -> Panel:
    """A chart of the shelf for a page; its file is of the same period, merchants and currency."""
    return Panel(name, CHARTS[name].drawn(asked), url("figures.file", id=name, **asked.arguments))


def _read() -> tuple[Period, Choice, Filters, Asked]:
    """What the address asks for. A period that is none is not taken, and says why."""
    period, merchant = Period(_("Period")), merchants_known.choice()
    filters = Filters(period, merchant)
    since, until = _days(period)
    currency = request.args.get("currency")
    asked = Asked(since, until, merchant.ids("mer"), currency if currency in EXPONENTS else None)
    return period, merchant, filters, asked


def _days(period: Period) -> tuple[date, date]:
    """The usual ones where none are given or they make no sense."""
    until = period.until or max(here().today, period.since or here().today)
    since = period.since or until - timedelta(days=USUAL_DAYS - 1)
    if since > until:
        period.error = _("The first day comes after the last.")
    elif (until - since).days > LONGEST_DAYS:
        period.error = _("Ten years at most.")
    if period.error:
        until = here().today
        since = until - timedelta(days=USUAL_DAYS - 1)
    return since, until


def _presets(filters: Filters, asked: Asked) -> list[Preset]:
    today = here().today
    year = date(today.year - (today.month < 12), today.month % 12 + 1, 1)  # this month and the eleven before it
    periods = [
        (_("Today"), today),
        (_("7 days"), today - timedelta(days=6)),
        (_("30 days"), today - timedelta(days=29)),
        (_("90 days"), today - timedelta(days=89)),
        (_("12 months"), year),
    ]
    return [
        Preset(
            label,
            filters.url(since=since.isoformat(), until=today.isoformat()),
            current=(asked.since, asked.until) == (since, today),
        )
        for label, since in periods
    ]


def _named(asked: Asked) -> str:
    first, last = formats.day(asked.since), formats.day(asked.until)
    return first if first == last else f"{first} – {last}"


def _rolled_up() -> datetime | None:
    """When figures were last brought up to date."""
    runs = table_of(JobRun)
    query = select(runs.c.finished_at).where(runs.c.name == "roll_up", runs.c.finished_at.is_not(None))
    return connection().execute(query.order_by(runs.c.slot.desc()).limit(1)).scalar()


def _currencies(asked: Asked) -> dict[str, str]:
    return {currency: currency for currency in dict.fromkeys((*asked.currencies, asked.currency))}


SCREEN = Figures

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import figures as _me

    _check: ScreenModule = _me
