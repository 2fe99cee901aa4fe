"""What every door has in common."""

import pytest
from flask import Flask, g, request
from sqlalchemy import create_engine, text
from structlog.testing import capture_logs

from app.config import settings
from app.core import web
from app.core.db import db
from app.core.errors import Conflict
from app.core.problem import problem_of


class Taken(Conflict):
    code = "taken"
    message = "%(what)s is taken."
    advice = "Take another one."


@pytest.fixture
def small():
    """A bare application with nothing but this file's subject attached."""
    made = Flask("small")
    web.attach(made)  # pyright: ignore[reportArgumentType]  # an APIFlask is a Flask; nothing of APIFlask is used

    @made.get("/refused")
    def refused():
        raise Taken(what="Seat 4", retry_after=7)

    @made.get("/broken")
    def broken():
        raise ZeroDivisionError("4242424242424242")

    @made.get("/german")
    def german():
        g.language = "de"
        return web.language()

    @made.get("/language")
    def language():
        return web.language()

    return made


def test_an_answer_carries_a_request_id_and_security_headers(small):
    answer = small.test_client().get("/healthz")
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "Strict-Transport-Security" not in answer.headers  # http://localhost


@pytest.mark.parametrize("given", ["order-4711-try-2", "0191f4c2-7a1e-7c3a-9f0e-2b1d3c4e5f60"])
def test_a_sane_request_id_of_the_caller_is_kept(small, given):
    assert small.test_client().get("/healthz", headers={"Request-Id": given}).headers["Request-Id"] == given


@pytest.mark.parametrize("given", ["x", "a b c d e f g h", "<script>alert(1)", "4242424242424242", "a" * 65])
def test_any_other_request_id_is_replaced(small, given):
    assert small.test_client().get("/healthz", headers={"Request-Id": given}).headers["Request-Id"] != given


def test_a_refusal_is_a_plain_line_with_its_code_and_status(small):
    answer = small.test_client().get("/refused", headers={"Request-Id": "request-1"})
    assert (answer.status_code, answer.mimetype) == (409, "text/plain")
    assert answer.text == "Seat 4 is taken.\nTake another one.\ntaken · request-1\n"
    assert answer.headers["Retry-After"] == "7"


def test_a_bug_says_nothing_about_itself_to_caller_or_log(small):
    with capture_logs() as lines:
        answer = small.test_client().get("/broken")
    logged = str(lines)
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.text and "4242" not in answer.text
    assert "ZeroDivisionError" in logged and "test_web.py" in logged
    assert "4242424242424242" not in logged


def test_a_door_renders_the_errors_under_its_own_path(small):
    web.errors_under(small, "/ref", lambda problem: small.response_class(f"<p>{problem.code}</p>", problem.status))
    client = small.test_client()
    assert client.get("/refused").text == "<p>taken</p>"
    assert client.get("/nowhere").mimetype == "text/plain"


def test_an_unknown_address_and_a_wrong_method_are_told_apart(small):
    client = small.test_client()
    assert client.get("/nowhere").status_code == 404
    wrong = client.post("/healthz")
    assert wrong.status_code == 405
    assert "GET" in wrong.headers["Allow"]


@pytest.mark.parametrize(
    ("asked", "spoken"), [("de", "de"), ("de-AT, en;q=0.5", "de"), ("fr", "en"), ("en-GB", "en"), ("", "en")]
)
def test_the_language_is_what_the_browser_asks_for(small, asked, spoken):
    assert small.test_client().get("/language", headers={"Accept-Language": asked}).text == spoken


def test_a_door_may_choose_the_language(small):
    assert small.test_client().get("/german", headers={"Accept-Language": "en"}).text == "de"


@pytest.mark.parametrize(("proxies", "seen"), [("0", "127.0.0.1"), ("1", "9.9.9.9")])
def test_a_forwarded_address_counts_only_behind_trusted_proxies(monkeypatch, proxies, seen):
    monkeypatch.setenv("TRUSTED_PROXIES", proxies)
    settings.cache_clear()
    try:
        behind = Flask("behind")
        web.attach(behind)  # pyright: ignore[reportArgumentType]
        behind.add_url_rule("/address", view_func=lambda: str(request.remote_addr))
        assert behind.test_client().get("/address", headers={"X-Forwarded-For": "8.8.8.8, 9.9.9.9"}).text == seen
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_ready_names_the_stores(app):
    answer = app.test_client().get("/readyz")
    works = {"status": "ready", "database": "ok", "redis": "ok", "clock": "ok"}
    assert (answer.status_code, answer.json) == (200, works)


def test_not_ready_without_the_database(app, databases):
    engines = db._app_engines[app]
    before = engines[None]
    engines[None] = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1})
    try:
        answer = app.test_client().get("/readyz")
    finally:
        engines[None] = before
    assert (answer.status_code, answer.json["database"]) == (503, "away")


def test_a_statement_that_takes_too_long_is_worth_repeating(context):
    with db.engine.connect() as connection, pytest.raises(Exception) as raised:
        connection.execute(text("SET LOCAL statement_timeout = 20"))
        connection.execute(text("SELECT pg_sleep(2)"))
    problem = problem_of(raised.value)
    assert (problem.status, problem.code) == (503, "unavailable")
    assert problem.headers["Retry-After"]
