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
from app.core.texts import N_
from app.payments.search import Page

# Left out when a filter changes: the list starts again at its first page.
CURSORS = ("after", "before")
_YEARS = range(2000, 2101)  # nothing of ours happened before or will be looked for after
NOTHING = UUID(int=0)  # an id that nothing has


class NotUnderstood(Refusal):
    code = "filter_not_understood"
    message = N_("A filter cannot be kept to: %(what)s.")
    advice = N_("Take it away or set it anew, then do it again.")


@dataclass
class Filter:
    """One chip. `names`: the parameters it reads; `kind` chooses its form in the template.

    What it cannot keep to it never drops: that would widen what is listed, and what is done to the list. It matches
    nothing and says why (`error`); its `summary` is then what the address said.
    """

    label: str
    kind: ClassVar[str] = ""
    names: tuple[str, ...] = ()
    summary: str = ""  # what it is set to, in words; empty: not set
    error: str = ""
    offered: bool = True  # shown also where it is not set

    def read(self, args: MultiDict[str, str]) -> None:
        raise NotImplementedError


@dataclass
class Choice(Filter):
    """One or several of `options` (value -> label). `more` names chosen ones of which there are too many to offer all.

    What is neither stays chosen: nothing is of that kind, so it matches nothing.
    """

    kind: ClassVar[str] = "choice"
    options: Mapping[str, str] = field(default_factory=dict)
    many: bool = True
    more: Callable[[Sequence[str]], Mapping[str, str]] = lambda _values: {}
    chosen: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.names[0]

    def read(self, args: MultiDict[str, str]) -> None:
        wanted = tuple(dict.fromkeys(value for value in args.getlist(self.name) if value))
        self.chosen = wanted if self.many else wanted[:1]
        if self._unknown():
            self.options = {**self.options, **self.more(self._unknown())}
        if self._unknown():
            self.error = _("This is not there, or not for you to see.")
        labels = [self.options.get(value) or formats.shortened(value[:60]) for value in self.chosen]
        self.summary = ", ".join(labels[:2]) + (f" +{len(labels) - 2}" if len(labels) > 2 else "")

    def _unknown(self) -> list[str]:
        return [value for value in self.chosen if value not in self.options]

    def ids(self, prefix: str) -> tuple[UUID, ...]:
        """The chosen values where they are public ids."""
        return ids_of(prefix, self.chosen)

    @property
    def one(self) -> str | None:
        return self.chosen[0] if self.chosen else None


def ids_of(prefix: str, keys: Sequence[str]) -> tuple[UUID, ...]:
    """A malformed one is NOTHING."""
    found = []
    for key in keys:
        try:
            found.append(parse_id(prefix, key))
        except NotFound:
            found.append(NOTHING)
    return tuple(found)


@dataclass
class Period(Filter):
    """Days in the user's zone, both included: since, until."""

    kind: ClassVar[str] = "period"
    names: tuple[str, ...] = ("since", "until")
    since: date | None = None
    until: date | None = None

    def read(self, args: MultiDict[str, str]) -> None:
        typed = [args.get(name, "")[:20] for name in ("since", "until")]
        self.since, self.until = (self._day(text) for text in typed)
        shown = [formats.day(day) if day else "" for day in (self.since, self.until)]
        if self.error:
            self.summary = " – ".join(text for text in typed if text)
        elif self.since and self.since == self.until:
            self.summary = shown[0]
        elif self.since and self.until:
            self.summary = f"{shown[0]} – {shown[1]}"
        elif self.since:
            self.summary = _("since %(day)s", day=shown[0])
        elif self.until:
            self.summary = _("until %(day)s", day=shown[1])

    def _day(self, text: str) -> date | None:
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = None
        if day is None or day.year not in _YEARS:
            self.error = _("This is not a date.")
            return None
        return day

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
        currency = args.get("currency", "")[:20]
        self.currency = currency if currency in self.currencies else None
        if currency and not self.currency:
            self.error = _("This is not there, or not for you to see.")
        elif not self.currency and any(self.typed.values()):
            self.currency = self.currencies[0]
        if self.currency:
            self.least, self.most = (self._minor(self.typed[name], self.currency) for name in ("least", "most"))
            self.summary = self._summary(self.currency)
        if self.error:
            self.summary = " – ".join(text for text in (*self.typed.values(), currency) if text)

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
            self.id, self.error = NOTHING, _("This is no id of that kind.")
            return
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

    @property
    def wrong(self) -> list[Filter]:
        """Those that cannot be kept to: then nothing is listed."""
        return [one for one in self.all if one.error]

    def refuse_wrong(self) -> None:
        """Before something is done with all that the list shows. Raises NotUnderstood."""
        if self.wrong:
            raise NotUnderstood(what=", ".join(f"{one.label} ({one.summary})" for one in self.wrong))

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
