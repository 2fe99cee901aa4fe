"""Rate limits: told with every answer, kept per key and per address, and kept without Redis too."""

import time

import pytest
import time_machine

from app.config import settings
from app.core.limiter import Limiter, limiter
from tests import factories
from tests.api.conftest import Api, error_of


@pytest.fixture
def few(monkeypatch):
    """Five requests a minute."""
    monkeypatch.setenv("API_REQUESTS_PER_MINUTE", "5")
    settings.cache_clear()
    yield 5
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def api(app, acquirers):
    with app.app_context():
        tenant = factories.tenant(acquirers["A"])
    return Api(app, tenant, tenant.key)


@pytest.fixture(autouse=True)
def _within_one_minute():
    """The window is the minute of the clock: a test that begins in its last seconds would see two."""
    with time_machine.travel(time.time() // 60 * 60 + 1):
        yield


def test_every_answer_says_how_many_are_left(api):
    first, second = api.get("/payments"), api.get("/payments")
    assert first.headers["X-RateLimit-Limit"] == str(settings().api_requests_per_minute)
    assert int(first.headers["X-RateLimit-Remaining"]) - int(second.headers["X-RateLimit-Remaining"]) == 1
    assert 0 <= int(first.headers["X-RateLimit-Reset"]) - time.time() <= 60


def test_beyond_the_limit_is_429_until_the_minute_ends(api, few, stranger, app):
    answers = [api.get("/payments") for _ in range(few + 2)]
    assert [answer.status_code for answer in answers] == [200] * few + [429] * 2
    assert error_of(answers[-1]) == (429, "too_many_requests", None)
    assert answers[-1].get_json()["error"]["type"] == "rate_limit"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].headers["X-RateLimit-Remaining"] == "0"
    assert Api(app, stranger, stranger.key).get("/payments").status_code == 200


def test_what_is_refused_for_its_number_does_nothing(api, few):
    for _ in range(few):
        api.get("/payments")
    assert api.post("/customers", {"name": "Erika"}).status_code == 429


def test_wrong_keys_are_counted_by_address(app, api):
    wrong = Api(app, api.tenant, "sk_test_wrong")
    here, there = {"REMOTE_ADDR": "10.9.9.1"}, {"REMOTE_ADDR": "10.9.9.2"}
    statuses = [wrong.get("/payments", environ_overrides=here).status_code for _ in range(62)]
    assert statuses == [401] * 60 + [429] * 2
    assert wrong.get("/payments", environ_overrides=there).status_code == 401
    assert api.get("/payments", environ_overrides=here).status_code == 200


def test_two_processes_share_one_count(databases):
    one, other = Limiter(databases.redis_url), Limiter(databases.redis_url)
    counts = [limiter.count("shared", 10) for limiter in (one, other) * 6]
    assert [standing.exceeded for standing in counts] == [False] * 10 + [True] * 2


def test_numbers_are_drawn_in_batches_and_each_is_given_once(databases):
    limited = Limiter(databases.redis_url)
    remaining = [limited.count("batches", 1_000).remaining for _ in range(25)]
    assert remaining == list(range(999, 974, -1))


def test_without_redis_the_process_counts_alone():
    alone = Limiter("redis://127.0.0.1:1")
    assert [alone.count("alone", 3).exceeded for _ in range(5)] == [False] * 3 + [True] * 2


def test_the_clock_may_be_set_back(databases, monkeypatch):
    limited = Limiter(databases.redis_url)
    ahead = time.time() + 300
    with monkeypatch.context() as moved:
        moved.setattr("app.core.limiter.time.time", lambda: ahead)
        limited.count("clock", 500)
    assert [limited.count("clock", 500).remaining for _ in range(3)] == [499, 498, 497]


def test_a_process_has_one_limiter(app):
    assert limiter() is limiter()
