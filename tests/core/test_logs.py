"""Every line of a request says which request, who and which payment; none says what must not be in a log."""

import json
import logging
import sys
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import update

from app.core import logs
from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.ids import public_id
from app.merchants import contracts
from app.payments.queries import CONTRACTS, OPERATIONS
from jobs.run import run_job
from tests import factories
from tests.acquirers import Acquirers
from tests.admin.desk import Desk, user

CARD = "4242424242424242"


@pytest.fixture
def lines(app, capsys):
    """lines(): what was logged since the last call, read as JSON; anything else fails."""
    logs.configure_logs("DEBUG")
    logging.getLogger().handlers[0].stream = _Stderr()  # type: ignore[attr-defined]  # whatever it is at that moment

    def read() -> list[dict]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield read
    logs.configure_logs("INFO")


class _Stderr:
    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        """Nothing is kept back."""


@pytest.fixture(scope="module")
def tenant(app, acquirers: Acquirers) -> factories.Tenant:
    with app.app_context():
        return factories.tenant(acquirers["A"])


@pytest.fixture
def talkative(app):
    """Whatever is asked for, our code and a library say something."""

    def speak(response):
        structlog.get_logger().info("ours")
        logging.getLogger("somebody.else").warning("theirs %s", "too")
        return response

    app.after_request_funcs.setdefault(None, []).append(speak)
    yield
    app.after_request_funcs[None].remove(speak)


def of(said: list[dict], *names: str) -> list[dict]:
    found = [line for line in said if line["event"] in names]
    assert {line["event"] for line in found} == set(names), said
    return found


@pytest.mark.usefixtures("talkative")
def test_a_line_of_the_api_says_the_request_the_key_and_the_payment(app, tenant, lines):
    with app.app_context():
        payment = public_id("pay", factories.authorised(tenant).payment["id"])
    lines()
    app.test_client().get(f"/v1/payments/{payment}", headers={**tenant.headers, "Request-Id": "request-4711"})
    for line in of(lines(), "ours", "theirs too", "answered"):
        assert line["request_id"] == "request-4711"
        assert line["actor"] == f"key:{public_id('key', tenant.key_id)}"
        assert line["payment"] == payment
        assert {"level", "timestamp"} <= set(line)


@pytest.mark.usefixtures("talkative")
def test_a_line_of_the_back_office_says_who_of_the_staff(app, lines):
    with app.app_context():
        address = user("admin")
    desk = Desk(app.test_client())
    assert desk.log_in(address).status == 200
    lines()
    desk.ask("/admin/payments/")
    assert all(line["actor"].startswith("staff:") for line in of(lines(), "ours", "theirs too"))


@pytest.mark.usefixtures("talkative")
def test_nothing_of_one_request_is_said_in_the_next(app, tenant, lines):
    client = app.test_client()
    client.get("/v1/payments", headers={**tenant.headers, "Request-Id": "request-1"})
    lines()
    client.get("/healthz", headers={"Request-Id": "request-2"})
    for line in of(lines(), "ours", "theirs too"):
        assert line["request_id"] == "request-2" and "actor" not in line and "payment" not in line


def test_a_line_of_a_job_says_the_job_and_one_about_a_payment_its_id(app, acquirers, lines):
    with app.app_context():
        tenant = factories.tenant(acquirers["A"])
        unclear = [factories.authorised(tenant, card=factories.card("no_answer")) for _ in range(2)]
        _nobody_listens(tenant)
        lines()
        run_job("resolve_unknown")
    said = of(lines(), "not_sent")
    assert {line["payment"] for line in said} == {public_id("pay", done.payment["id"]) for done in unclear}
    assert {line["actor"] for line in said} == {"job:resolve_unknown"}


def _nobody_listens(tenant: factories.Tenant) -> None:
    """The provider's address leads nowhere any more, and its open operations are due to be asked about."""
    nowhere = {"url": "http://127.0.0.1:9", "api_key": "none", "news_secret": "none"}
    with atomic(ALL) as connection:
        connection.execute(
            update(CONTRACTS)
            .where(CONTRACTS.c.id == tenant.contract_id)
            .values(settings_sealed=contracts.sealed_settings("sandbox_card", nowhere))
        )
        connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.merchant_id == tenant.merchant_id)
            .values(enquire_at=now() - timedelta(seconds=1))
        )


def test_what_must_not_be_in_a_log_is_not_in_the_lines_of_libraries_either(lines):
    logging.getLogger("somebody.else").error("card %s at /pay/chk_01234567890123456789", CARD)
    try:
        raise ValueError(f"number {CARD}")
    except ValueError:
        logging.getLogger("somebody.else").exception("it broke")
    said = lines()
    assert [line["logger"] for line in said] == ["somebody.else"] * 2
    assert "ValueError" in said[1]["exception"]
    assert CARD not in json.dumps(said) and "chk_0123" not in json.dumps(said)
