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


def test_a_day_of_berlin_is_read_from_hours():
    assert cut(datetime(2026, 6, 15, tzinfo=BERLIN), datetime(2026, 6, 16, tzinfo=BERLIN)) == [("hour", 24)]


def test_a_month_of_berlin_is_read_from_days_and_hours_at_its_sides():
    assert cut(datetime(2026, 6, 1, tzinfo=BERLIN), datetime(2026, 7, 1, tzinfo=BERLIN)) == [
        ("hour", 2),
        ("day", 29 * 24),
        ("hour", 22),
    ]


def test_days_of_utc_are_read_from_days():
    assert cut(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 3, tzinfo=UTC)) == [("day", 48)]


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25)])
def test_the_days_on_which_clocks_change_are_shorter_and_longer(month, day, hours):
    starts, ends = (datetime(2026, month, one, tzinfo=BERLIN) for one in (day, day + 1))
    assert sum(length for _, length in cut(starts, ends)) == hours


def test_buckets_keep_their_numbers():
    moments = [datetime(2026, 6, day, tzinfo=BERLIN) for day in (1, 2, 3, 20)]
    assert [piece.bucket for piece in pieces([Bucket(*pair) for pair in pairwise(moments)])] == [0, 1, 2, 2, 2]
