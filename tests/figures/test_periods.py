"""How a period is cut: every hour once, whole days where there are any."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.figures.periods import Bucket, pieces

BERLIN = ZoneInfo("Europe/Berlin")


def cut(*moments: datetime) -> list[tuple[str, int]]:
    """(span, hours) of each piece; they follow each other without a gap."""
    found = pieces([Bucket(moments[0], moments[-1])])
    assert found[0].starts == moments[0].astimezone(UTC) and found[-1].ends == moments[-1].astimezone(UTC)
    assert all(one.ends == two.starts for one, two in pairwise(found))
    return [(piece.span, round((piece.ends - piece.starts) / timedelta(hours=1))) for piece in found]


def test_days_of_berlin_are_read_from_days():
    assert cut(datetime(2026, 6, 1, tzinfo=BERLIN), datetime(2026, 7, 1, tzinfo=BERLIN)) == [("day", 30 * 24)]


def test_a_day_of_london_is_read_from_hours():
    london = ZoneInfo("Europe/London")
    assert cut(datetime(2026, 6, 15, tzinfo=london), datetime(2026, 6, 16, tzinfo=london)) == [("hour", 24)]


def test_a_month_of_utc_is_read_from_days_and_hours_at_its_sides():
    assert cut(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)) == [
        ("hour", 22),
        ("day", 29 * 24),
        ("hour", 2),
    ]


def test_some_hours_are_read_from_hours():
    assert cut(datetime(2026, 6, 1, 3, tzinfo=BERLIN), datetime(2026, 6, 1, 5, tzinfo=BERLIN)) == [("hour", 2)]


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25)])
def test_the_days_on_which_clocks_change_are_shorter_and_longer(month, day, hours):
    starts, ends = (datetime(2026, month, one, tzinfo=BERLIN) for one in (day, day + 1))
    assert cut(starts, ends) == [("day", hours)]


def test_buckets_keep_their_numbers():
    moments = [datetime(2026, 6, day, tzinfo=UTC) for day in (1, 2, 3, 20)]
    assert [piece.bucket for piece in pieces([Bucket(*pair) for pair in pairwise(moments)])] == [0, 1, 2, 2, 2]
