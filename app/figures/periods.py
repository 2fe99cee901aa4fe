"""How a period is read: in buckets (the bars of a chart), each from as few rows as will do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Whose days are kept as rows of their own. Others' days are put together from hours.
DAYS_OF = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True)
class Bucket:
    """From `starts` to just before `ends`. Figures are kept by the hour, so both are rounded down to one."""

    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one span that belong to the bucket with that number."""

    bucket: int
    span: str
    starts: datetime
    ends: datetime


def pieces(buckets: Sequence[Bucket]) -> list[Piece]:
    """Whole days (of DAYS_OF) are read from days, what is left at their sides from hours."""
    return [piece for number, bucket in enumerate(buckets) for piece in _pieces(number, bucket)]


def midnight(moment: datetime, days: int = 0) -> datetime:
    """When the day of that moment began, or the one so many days later."""
    day = moment.astimezone(DAYS_OF).date() + timedelta(days=days)
    return datetime.combine(day, time(), tzinfo=DAYS_OF).astimezone(UTC)


def _pieces(number: int, bucket: Bucket) -> Iterator[Piece]:
    starts, ends = _hour(bucket.starts), _hour(bucket.ends)
    first = starts if starts == midnight(starts) else midnight(starts, 1)
    last = midnight(ends)
    if first >= last:
        yield Piece(number, "hour", starts, ends)
        return
    for span, begin, end in (("hour", starts, first), ("day", first, last), ("hour", last, ends)):
        if begin < end:
            yield Piece(number, span, begin, end)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
