"""`/metrics`: for who has the token only; what became of requests and payments, and how much waits."""

import re

import pytest

from app.api import _metrics
from app.config import settings
from app.core import metrics, queue
from tests import factories

TOKEN = "a-token-of-the-operator"


@pytest.fixture
def scrape(app, monkeypatch):
    """scrape(): the lines without comments, name with labels -> value."""
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    settings.cache_clear()
    metrics.flush()
    queue.connection().delete(metrics.KEY)

    def ask() -> dict[str, float]:
        monkeypatch.setattr(_metrics, "_kept", None)
        answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200 and answer.content_type.startswith("text/plain; version=0.0.4")
        lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
        assert all(re.fullmatch(r'[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [\d.e+-]+', line) for line in lines), lines
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    yield ask
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", TOKEN.upper(), "Basic abc"])
def test_nobody_else_learns_that_it_is_there(app, scrape, given):
    refused = app.test_client().get("/metrics", headers={"Authorization": given} if given else {})
    nowhere = app.test_client().get("/nowhere")
    assert refused.status_code == 404
    assert refused.text.splitlines()[0] == nowhere.text.splitlines()[0]


def test_without_a_token_it_is_not_there_at_all(app):
    assert settings().metrics_token is None
    assert app.test_client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_requests_are_counted_by_route_and_status_and_never_by_what_was_asked_for(app, scrape):
    client = app.test_client()
    for path in ("/healthz", "/healthz", "/pay/chk_secret-token", "/wp-login.php", "/etc/passwd"):
        client.get(path)
    client.open("/healthz", method="BREW")
    found = scrape()
    assert found['zahlwerk_requests_total{method="GET",route="/healthz",status="200"}'] == 2
    assert found['zahlwerk_requests_total{method="GET",route="/pay/<token>",status="404"}'] == 1
    assert found['zahlwerk_requests_total{method="any",route="none",status="404"}'] == 2
    assert found['zahlwerk_request_seconds_count{method="GET",route="/healthz"}'] == 2
    assert found['zahlwerk_request_seconds_bucket{method="GET",route="/healthz",le="10.0"}'] == 2
    assert not [name for name in found if "secret" in name or "wp-login" in name or "BREW" in name]


def test_what_became_of_payments_is_counted_by_provider(app, acquirers, scrape):
    with app.app_context():
        tenant = factories.tenant(acquirers["A"])
        factories.captured(tenant, 2_000)
        factories.authorised(tenant, card=factories.card("insufficient_funds"))
    found = scrape()
    events = 'zahlwerk_events_total{{event="{}",provider="sandbox_card",live="false"}}'
    assert found[events.format("authorisation.succeeded")] == 1
    assert found[events.format("authorisation.declined")] == 1
    assert found[events.format("capture.succeeded")] == 1
    assert found['zahlwerk_calls_total{host="127.0.0.1",outcome="answered"}'] == 3


def test_what_waits_is_measured(app, acquirers, scrape):
    before = scrape()
    with app.app_context():
        tenant = factories.tenant(acquirers["A"])
        factories.authorised(tenant)
    found = scrape()
    assert found["zahlwerk_redis_up"] == 1
    assert found['zahlwerk_waiting{queue="events"}'] > before['zahlwerk_waiting{queue="events"}']
    assert found['zahlwerk_oldest_waiting_seconds{queue="events"}'] > 0
    for name in _metrics.HELP:
        assert any(line.startswith(name) for line in found) or name == "zahlwerk_job_finished_seconds", name


def test_how_long_ago_each_job_ended_is_told(app, scrape):
    from jobs.run import run_job

    with app.app_context():
        run_job("expire", "now")
    found = scrape()
    assert found['zahlwerk_job_finished_seconds{job="expire"}'] < 30
    assert found['zahlwerk_jobs_total{job="expire",result="done"}'] == 1
