"""When jobs are due: by the time alone, in Berlin, through both changes of the clocks."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from jobs.kinds import Job
from jobs.schedule import call_number, next_slot, slot

SWEEP = cast(Job, SimpleNamespace(EVERY=10))
DAILY = cast(Job, SimpleNamespace(AT="03:10"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_sweep_is_due_at_multiples_of_its_period():
    assert slot(SWEEP, at("2026-11-21 12:00:19.9")) == at("2026-11-21 12:00:10")
    assert slot(SWEEP, at("2026-11-21 12:00:20")) == at("2026-11-21 12:00:20")


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-21 02:09:59", "2026-11-20 02:10"),  # 03:09:59 in Berlin, winter
        ("2026-11-21 02:10:00", "2026-11-21 02:10"),
        ("2026-11-21 23:30:00", "2026-11-21 02:10"),  # tomorrow in Berlin already
        ("2026-07-01 01:09:59", "2026-06-30 01:10"),  # summer
        ("2026-07-01 01:10:00", "2026-07-01 01:10"),
        ("2026-03-29 01:10:00", "2026-03-29 01:10"),  # the night in which 02:00 became 03:00
        ("2026-10-25 02:10:00", "2026-10-25 02:10"),  # the night with 25 hours
        ("2026-10-25 01:10:00", "2026-10-24 01:10"),
    ],
)
def test_a_daily_job_is_due_at_its_time_in_berlin(now, due):
    assert slot(DAILY, at(now)) == at(due)


def test_a_year_has_one_slot_per_day():
    hours = (at("2026-01-01 00:00") + timedelta(minutes=30 * number) for number in range(2 * 24 * 365))
    assert len({slot(DAILY, hour) for hour in hours}) == 366  # the first belongs to the day before


@pytest.mark.parametrize(
    ("due", "after"),
    [
        ("2026-11-21 02:10", "2026-11-22 02:10"),
        ("2026-03-28 02:10", "2026-03-29 01:10"),  # a day with 23 hours
        ("2026-10-24 01:10", "2026-10-25 02:10"),  # a day with 25 hours
    ],
)
def test_the_slot_after_a_daily_one_is_the_next_day_in_berlin(due, after):
    assert next_slot(DAILY, at(due)) == at(after) == slot(DAILY, at(after))


def test_the_slot_after_that_of_a_sweep_comes_after_its_period():
    assert next_slot(SWEEP, at("2026-11-21 12:00:10")) == at("2026-11-21 12:00:20")


def test_a_job_is_called_once_per_period_and_a_daily_one_every_ten_minutes():
    start = at("2026-11-21 12:00:00")
    seconds = [start + timedelta(seconds=number) for number in range(1200)]
    assert len({call_number(SWEEP, second) for second in seconds}) == 120
    assert len({call_number(DAILY, second) for second in seconds}) == 2
