"""A host whose clock is wrong takes no part: leases are moments that hosts write for each other."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from app.core import skew
from jobs import worker
from jobs._stopping import STOPPING


@pytest.mark.parametrize("seconds", [-3600, -6, 6, 90])
def test_a_clock_that_is_far_off_is_not_ready(app, capfd, seconds):
    with _off_by(seconds):
        answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"], answer.json["clock"]) == (503, "not_ready", "wrong")
    [logged] = [json.loads(line) for line in capfd.readouterr().err.splitlines() if "clock_is_wrong" in line]
    assert logged["level"] == "error"
    assert abs(logged["seconds_ahead_of_the_database"] - seconds) < 2


@pytest.mark.parametrize("seconds", [-3, 0, 3])
def test_a_clock_that_is_nearly_right_is_right(app, seconds):
    with _off_by(seconds):
        assert app.test_client().get("/readyz").status_code == 200


def test_the_time_that_the_question_takes_is_no_difference(context):
    assert abs(skew.skew_seconds()) < 0.5


def test_a_worker_waits_until_its_clock_is_right(app, monkeypatch):
    monkeypatch.setattr(worker, "_LOOK_AT_THE_CLOCK_SECONDS", 0.01)

    def wait():
        with app.app_context():
            worker.wait_for_the_right_time()

    waiting = threading.Thread(target=wait)
    with _off_by(60):
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()


def test_a_worker_that_waits_can_be_stopped(context):
    with _off_by(60):
        threading.Timer(0.1, STOPPING.set).start()
        try:
            worker.wait_for_the_right_time()
        finally:
            STOPPING.clear()


def _off_by(seconds: int):
    return time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True)
