"""How much waits: measured once a minute, the deepest of each hour is kept."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core import queue
from app.core.db import ALL, atomic, reading
from app.figures import depths, queries
from app.figures.periods import Bucket
from tests import factories
from tests.figures.history import HOUR, MONDAY, at

pytestmark = pytest.mark.usefixtures("context")


def _note(**found: int) -> None:
    with atomic(ALL) as connection:
        depths.note(connection, found)


def test_an_hour_keeps_its_deepest_and_its_last(context):
    for minutes, waiting in ((0, 3), (10, 12), (20, 5), (60, 1)):
        at(MONDAY.replace(minute=0) + timedelta(minutes=minutes), _note, events=waiting)
    noon = MONDAY.replace(minute=0)
    with reading(ALL) as connection:
        found = queries.depths(connection, [Bucket(noon, noon + HOUR), Bucket(noon + HOUR, noon + 2 * HOUR)])
        [latest] = queries.latest_depths(connection)
    assert [(row["bucket"], row["deepest"]) for row in found] == [(0, 12), (1, 1)]
    assert (latest["queue"], latest["latest"]) == ("events", 1)
    assert timedelta() <= latest["measured_at"] - (noon + HOUR) < timedelta(seconds=5)


def test_what_waits_is_counted_where_it_waits(tenant):
    factories.authorised(tenant)
    queue.queue(queue.DEFAULT).empty()
    queue.queue(queue.DEFAULT).enqueue_call(queue.RUN, ("nothing",))
    found = depths.waiting()
    queue.queue(queue.DEFAULT).empty()
    assert found["events"] >= 3 and found["jobs_default"] == 1
    assert {"events", "webhooks", "mails", "jobs_default", "jobs_deliveries"} == set(found)


def test_measuring_notes_every_queue(context):
    assert depths.measure() == 5
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with reading(ALL) as connection:
        found = queries.depths(connection, [Bucket(hour - HOUR, hour + HOUR)])
    assert len(found) == 5
