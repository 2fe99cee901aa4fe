"""Filters of lists: they live in the address, so a list can be shared, and show as chips."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy import ColumnElement
from werkzeug.datastructures import MultiDict

from admin import formats
from admin.here import connection, here
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id
from app.core.money import parse_typed
from app.payments.search import Page

# Left out when a filter changes: the list starts again at its first page.
CURSORS = ("after", "before")


@dataclass
class Filter:
    """One chip. `names`: the parameters it reads; `kind` chooses its form in the template."""

    label: str
    kind: ClassVar[str] = ""
    names: tuple[str, ...] = ()
    summary: str = ""  # what it is set to, in words; empty: not set
    error: str = ""

    def read(self, args: MultiDict[str, str]) -> None:
        raise NotImplementedError


@dataclass
class Choice(Filter):
    """One or several of `options` (value -> label)."""

    kind: ClassVar[str] = "choice"
    options: Mapping[str, str] = field(default_factory=dict)
    many: bool = True
    chosen: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.names[0]

    def read(self, args: MultiDict[str, str]) -> None:
        wanted = dict.fromkeys(args.getlist(self.name))
        self.chosen = tuple(value for value in wanted if value in self.options)
        if not self.many:
            self.chosen = self.chosen[:1]
        labels = [self.options[value] for value in self.chosen]
        self.summary = ", ".join(labels[:2]) + (f" +{len(labels) - 2}" if len(labels) > 2 else "")

    def ids(self, prefix: str) -> tuple[UUID, ...]:
        """The chosen values where they are public ids."""
        return tuple(parse_id(prefix, value) for value in self.chosen)

    @property
    def one(self) -> str | None:
        return self.chosen[0] if self.chosen else None


@dataclass
class Period(Filter):
    """Days in the user's zone, both included: since, until."""

    kind: ClassVar[str] = "period"
    names: tuple[str, ...] = ("since", "until")
    since: date | None = None
    until: date | None = None

    def read(self, args: MultiDict[str, str]) -> None:
        self.since, self.until = self._day(args.get("since", "")), self._day(args.get("until", ""))
        shown = [formats.day(day) if day else "" for day in (self.since, self.until)]
        if self.since and self.since == self.until:
            self.summary = shown[0]
        elif self.since and self.until:
            self.summary = f"{shown[0]} – {shown[1]}"
        elif self.since:
            self.summary = _("since %(day)s", day=shown[0])
        elif self.until:
            self.summary = _("until %(day)s", day=shown[1])

    def _day(self, text: str) -> date | None:
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.error = _("This is not a date.")
            return None

    @property
    def starts(self) -> datetime | None:
        return _midnight(self.since) if self.since else None

    @property
    def ends(self) -> datetime | None:
        """The moment after the last day."""
        return _midnight(self.until + timedelta(days=1)) if self.until else None

    @property
    def presets(self) -> list[tuple[str, date, date]]:
        today = datetime.now(here().zone).date()
        return [
            (_("Today"), today, today),
            (_("Yesterday"), today - timedelta(days=1), today - timedelta(days=1)),
            (_("Last 7 days"), today - timedelta(days=6), today),
            (_("Last 30 days"), today - timedelta(days=29), today),
        ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=here().zone)


@dataclass
class Amount(Filter):
    """From and to, typed as people do, in one currency."""

    kind: ClassVar[str] = "amount"
    names: tuple[str, ...] = ("least", "most", "currency")
    currencies: Sequence[str] = ("EUR",)
    currency: str | None = None
    least: int | None = None
    most: int | None = None
    typed: dict[str, str] = field(default_factory=dict)

    def read(self, args: MultiDict[str, str]) -> None:
        self.typed = {name: args.get(name, "").strip()[:30] for name in ("least", "most")}
        currency = args.get("currency")
        self.currency = currency if currency in self.currencies else None
        if not self.currency and any(self.typed.values()):
            self.currency = self.currencies[0]
        if self.currency:
            self.least, self.most = (self._minor(self.typed[name], self.currency) for name in ("least", "most"))
            self.summary = self._summary(self.currency)

    def _minor(self, text: str, currency: str) -> int | None:
        try:
            return parse_typed(text, currency) if text else None
        except Refusal as refusal:
            self.error = formats.said(refusal.message, **refusal.values)
            return None

    def _summary(self, currency: str) -> str:
        least, most = (formats.money(minor, currency) for minor in (self.least, self.most))
        if self.least is not None and self.most is not None:
            return least if self.least == self.most else f"{least} – {most}"
        if self.least is not None:
            return _("from %(amount)s", amount=least)
        if self.most is not None:
            return _("up to %(amount)s", amount=most)
        return currency


@dataclass
class Text(Filter):
    """A word typed by hand."""

    kind: ClassVar[str] = "text"
    hint: str = ""
    value: str = ""

    def read(self, args: MultiDict[str, str]) -> None:
        self.value = args.get(self.names[0], "").strip()[:100]
        self.summary = self.value


@dataclass
class Id(Text):
    """The public id of one thing, which links set; `called` says it in words where it can."""

    prefix: str = ""
    called: Callable[[UUID], str | None] = lambda _id: None
    id: UUID | None = None

    def read(self, args: MultiDict[str, str]) -> None:
        super().read(args)
        try:
            self.id = parse_id(self.prefix, self.value) if self.value else None
        except NotFound:
            self.error, self.summary = _("This is no id of that kind."), ""
        if self.id:
            self.summary = self.called(self.id) or formats.shortened(self.value)


class Filters:
    """All chips of a list, read from the address, or from one that was kept (`args`, its query)."""

    def __init__(self, *filters: Filter, args: str | None = None) -> None:
        self.all = filters
        self.args = request.args if args is None else MultiDict(parse_qsl(args))
        for one in filters:
            one.read(self.args)

    @property
    def any_set(self) -> bool:
        return any(one.summary for one in self.all)

    def url(self, **changes: str | None) -> str:
        """This list with some parameters changed (None: left out), from its first page on."""
        return _url(self._kept(*CURSORS, *changes), changes)

    def without(self, one: Filter) -> str:
        return _url(self._kept(*CURSORS, *one.names), {})

    @property
    def cleared(self) -> str:
        return _url(self._kept(*CURSORS, *(name for one in self.all for name in one.names)), {})

    def hidden(self, one: Filter) -> list[tuple[str, str]]:
        """What the form of one chip carries along for the others."""
        return self._kept(*CURSORS, *one.names)

    def page_url(self, **cursor: str) -> str:
        return _url(self._kept(*CURSORS), cursor)

    def _kept(self, *without: str) -> list[tuple[str, str]]:
        return [(key, value) for key, value in self.args.items(multi=True) if key not in without and value]


def _url(kept: list[tuple[str, str]], changes: Mapping[str, str | None]) -> str:
    pairs = [*kept, *((key, value) for key, value in changes.items() if value is not None)]
    return f"?{urlencode(pairs)}" if pairs else request.path


@dataclass(frozen=True, slots=True)
class Pager:
    """Addresses of the neighbouring pages, None where there is none."""

    previous: str | None
    next: str | None


def pager(filters: Filters, prefix: str, page: Page) -> Pager:
    """For a page of things whose public ids begin with `prefix`."""
    if not page.rows:
        return Pager(None, None)
    first, last = (formats.public_id(prefix, page.rows[place]["id"]) for place in (0, -1))
    return Pager(
        filters.page_url(before=first) if page.has_previous else None,
        filters.page_url(after=last) if page.has_next else None,
    )


def by_id(query: Any, column: ColumnElement[UUID], prefix: str, limit: int = 50) -> Page:
    """A page of `query`, the newest first; ids rise with time. Nothing is counted."""
    cursor = cursors(prefix)
    after, before = cursor["after"], cursor["before"]
    if before is not None:
        query = query.where(column > before).order_by(column)
    else:
        query = query.where(column < after) if after is not None else query
        query = query.order_by(column.desc())
    rows = connection().execute(query.limit(limit + 1)).mappings().all()
    more, rows = len(rows) > limit, rows[:limit]
    if before is not None:
        return Page(rows[::-1], has_previous=more, has_next=True)
    return Page(rows, has_previous=after is not None, has_next=more)


def cursors(prefix: str) -> dict[str, UUID | None]:
    """`after` and `before` of the address. A malformed one starts at the first page."""
    found: dict[str, UUID | None] = {}
    for name in CURSORS:
        try:
            found[name] = parse_id(prefix, request.args[name]) if name in request.args else None
        except NotFound:
            found[name] = None
    return found
