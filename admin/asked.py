"""What a dashboard is asked for: a period, cut into the bars of its charts, whose figures, and in which currency."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from urllib.parse import urlencode
from uuid import UUID

from babel.dates import format_date
from sqlalchemy import RowMapping

from admin import shown
from admin.here import connection, here, staff
from admin.office import url
from app.core.clock import now
from app.core.ids import public_id
from app.figures import queries
from app.figures.periods import Bucket
from app.figures.queries import Wanted

_LONGEST_BY_HOURS, _LONGEST_BY_DAYS = 2, 92  # days; longer periods are cut into months


@dataclass(frozen=True, slots=True)
class Cut:
    """One bar: its hours, the days it belongs to, and its names (in a table, below the bar, in a file)."""

    bucket: Bucket
    first: date
    last: date
    label: str
    short: str
    key: str


class Asked:
    """Figures are read when a chart first wants them, and once for all charts of a page."""

    def __init__(self, since: date, until: date, merchants: Sequence[UUID] = (), currency: str | None = None) -> None:
        self.since, self.until = since, until
        self.merchants = list(merchants) or None
        self._currency = currency

    @cached_property
    def cuts(self) -> list[Cut]:
        """What is still to come is left out, but there is always one."""
        days = (self.until - self.since).days + 1
        by = _hours if days <= _LONGEST_BY_HOURS else _days if days <= _LONGEST_BY_DAYS else _months
        cuts = list(by(self.since, self.until))
        return [cut for cut in cuts if cut.bucket.starts <= now()] or cuts[:1]

    @property
    def starts(self) -> datetime:
        return _midnight(self.since)

    @property
    def ends(self) -> datetime:
        return _midnight(self.until + timedelta(days=1))

    @cached_property
    def _wanted(self) -> Wanted:
        return Wanted(here().live, self.merchants)

    @cached_property
    def _money(self) -> Sequence[RowMapping]:
        """The bars', and as the last bucket what to compare with."""
        buckets = [*(cut.bucket for cut in self.cuts), self._before]
        return queries.money(connection(), self._wanted, buckets)

    @property
    def _before(self) -> Bucket:
        """As many days just before, up to the same time of day if the period is not over yet."""
        starts = _midnight(self.since - (self.until - self.since) - timedelta(days=1))
        return Bucket(starts, max(starts, starts + (min(self.ends, now()) - self.starts)))

    @cached_property
    def attempts(self) -> Sequence[RowMapping]:
        return queries.attempts(connection(), self._wanted, Bucket(self.starts, self.ends))

    @cached_property
    def currencies(self) -> list[str]:
        """Those of the period, the busiest first."""
        seen: Counter[str] = Counter()
        for row in self._money:
            if row["bucket"] < len(self.cuts):
                seen[row["currency"]] += row["authorised_count"] + row["captured_count"] + row["refunded_count"]
        return [currency for currency, _ in seen.most_common()]

    @property
    def currency(self) -> str:
        """Amounts are shown in one currency at a time: the one asked for, else the busiest."""
        return self._currency or next(iter(self.currencies), "EUR")

    def series(self, name: str, *, every_currency: bool = False) -> list[int]:
        """One figure by bar: amounts and counts of the currency; `every_currency` is for counts."""
        found = [0] * len(self.cuts)
        for row in self._money:
            if row["bucket"] < len(found) and (every_currency or row["currency"] == self.currency):
                found[row["bucket"]] += row[name]
        return found

    def total(self, name: str, *, currency: str | None = None, before: bool = False) -> int:
        """One figure of the whole period, or of the one before; without `currency` of all (only for counts)."""
        return sum(
            row[name]
            for row in self._money
            if (row["bucket"] == len(self.cuts)) == before and currency in (None, row["currency"])
        )

    def amount(self, figure: str, *, before: bool = False) -> int:
        """What a figure adds up to in the currency that is shown."""
        return self.total(f"{figure}_amount", currency=self.currency, before=before)

    def seen_with(self, permission: str) -> list[UUID] | None:
        """Merchants to narrow to where a chart takes another right than the page; None: no narrower."""
        allowed = staff().scope(permission).merchants
        if allowed is None or self.merchants is None:
            return self.merchants if allowed is None else sorted(allowed)
        return [merchant for merchant in self.merchants if merchant in allowed]

    def payments(self, **more: str | list[str] | None) -> str:
        """The address of the payments of the whole period."""
        return self._addressed(self.since, self.until, self._narrowed(more))

    def payments_by_bar(self, **more: str | list[str] | None) -> list[str]:
        """Those of each bar. A page has hundreds, so what they have in common is put together once."""
        narrowed = self._narrowed(more)
        return [self._addressed(cut.first, cut.last, narrowed) for cut in self.cuts]

    def _addressed(self, since: date, until: date, narrowed: str) -> str:
        return f"{self._payments}?since={since}&until={until}{narrowed}"

    def _narrowed(self, more: Mapping[str, str | list[str] | None]) -> str:
        asked = {"merchant": self._merchant_ids, **more}
        found = urlencode({name: value for name, value in asked.items() if value is not None}, doseq=True)
        return f"&{found}" if found else ""

    @cached_property
    def _payments(self) -> str:
        return url("payments.index")

    @property
    def arguments(self) -> dict[str, str | list[str] | None]:
        """What asks for the same again, in an address."""
        days = {"since": self.since.isoformat(), "until": self.until.isoformat()}
        return {**days, "merchant": self._merchant_ids, "currency": self._currency}

    @cached_property
    def _merchant_ids(self) -> list[str] | None:
        return [public_id("mer", merchant) for merchant in self.merchants or ()] or None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=here().zone)


def _hours(since: date, until: date) -> Iterator[Cut]:
    moment, end = (_midnight(day).astimezone(UTC) for day in (since, until + timedelta(days=1)))
    while moment < end:
        local = moment.astimezone(here().zone)
        day, hour = local.date(), f"{local:%H:%M}"
        named = f"{shown.day_and_month(local, here().locale)}, {hour}"
        after = moment + timedelta(hours=1)
        yield Cut(Bucket(moment, after), day, day, named, hour, f"{local:%Y-%m-%d %H:%M}")
        moment = after


def _days(since: date, until: date) -> Iterator[Cut]:
    for number in range((until - since).days + 1):
        day = since + timedelta(days=number)
        local = _midnight(day)
        short = shown.day_and_month(local, here().locale)
        bucket = Bucket(local, _midnight(day + timedelta(days=1)))
        yield Cut(bucket, day, day, f"{short} {day.year}", short, day.isoformat())


def _months(since: date, until: date) -> Iterator[Cut]:
    """The first and the last may be parts of one."""
    first = since
    while first <= until:
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        last = min(until, following - timedelta(days=1))
        label, short = (format_date(first, form, locale=here().locale) for form in ("LLLL yyyy", "LLL yy"))
        bucket = Bucket(_midnight(first), _midnight(last + timedelta(days=1)))
        yield Cut(bucket, first, last, label, short, f"{first:%Y-%m}")
        first = following
