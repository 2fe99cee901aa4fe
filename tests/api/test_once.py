"""Idempotency keys: the same request twice does its work once, also when two come at once or a process dies."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPConnection
from json import dumps
from urllib.parse import urlsplit

import pytest
import time_machine

from app.core.clock import now
from app.core.db import ALL, reading
from app.core.ids import parse_id
from app.payments.perform import Done
from app.payments.queries import OPERATIONS
from tests import factories, live
from tests.api.conftest import by_card, error_of, order
from tests.payments import wallets


def money(acquirers, reference: str) -> list[tuple[str, int]]:
    """What acquirer A really did under a merchant reference."""
    lines = [line for line in acquirers["A"].did(reference=reference) if line["done"] in ("authorised", "captured")]
    return [(line["done"], line["amount"]) for line in lines]


def test_the_same_request_is_done_once_and_answered_as_it_is_now(api, acquirers):
    sent = order(payment_method=by_card(), merchant_reference="once-1")
    first = api.once("pay-1").post("/payments", sent)
    again = api.once("pay-1").post("/payments", sent)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.get_json()["id"] == first.get_json()["id"]
    assert money(acquirers, "once-1") == [("authorised", 10_000)]
    api.post(f"/payments/{first.get_json()['id']}/captures", {"amount": 2_500})
    assert api.once("pay-1").post("/payments", sent).get_json()["status"] == "partially_captured"


@pytest.mark.parametrize("other", [order(9_999), order(merchant_reference="another")])
def test_the_same_key_for_another_body_is_refused(api, other):
    key = f"reused-{other['amount']}-{other['merchant_reference']}"
    api.once(key).post("/payments", order())
    assert error_of(api.once(key).post("/payments", other)) == (422, "idempotency_key_reused", "Idempotency-Key")


def test_the_same_key_at_another_route_is_refused(api):
    first, second = api.pay(), api.pay()
    api.once("route-1").post(f"/payments/{first['id']}/captures")
    for path in (f"/payments/{second['id']}/captures", f"/payments/{first['id']}/refunds"):
        assert error_of(api.once("route-1").post(path)) == (422, "idempotency_key_reused", "Idempotency-Key")
    assert api.get(f"/payments/{second['id']}").get_json()["status"] == "authorised"


def test_another_merchants_key_is_another_key(api, foreign):
    sent = order(payment_method=by_card())
    assert api.once("shared").post("/payments", sent).status_code == 201
    answer = foreign.once("shared").post("/payments", sent)
    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (201, False)


def test_a_refused_request_does_not_use_up_its_key(api):
    payment = api.pay()
    path = f"/payments/{payment['id']}/captures"
    assert api.once("retry-1").post(path, {"amount": 10_001}).status_code == 422
    assert api.once("retry-1").post(path, {"amount": 10_000}).status_code == 201


@pytest.mark.parametrize("key", ["", "a" * 256, "with space", "ümlaut"])
def test_a_key_that_is_none_is_refused(api, key):
    answer = api.once(key).post("/payments", order())
    assert error_of(answer) == (422, "bad_idempotency_key", "Idempotency-Key")


def test_captures_refunds_and_cancellations_repeat_too(api, acquirers):
    paid = api.pay(capture="automatic", merchant_reference="once-2")
    refunds = [api.once("refund-1").post(f"/payments/{paid['id']}/refunds", {"amount": 1_000}) for _ in range(2)]
    assert refunds[0].get_json()["id"] == refunds[1].get_json()["id"]
    assert api.get(f"/payments/{paid['id']}").get_json()["amount_refunded"] == 1_000
    waiting = api.pay()
    cancels = [api.once("cancel-1").post(f"/payments/{waiting['id']}/cancel") for _ in range(2)]
    assert [answer.status_code for answer in cancels] == [200, 200]
    assert cancels[1].get_json() == cancels[0].get_json()
    open_ = api.pay()
    captures = [api.once("capture-1").post(f"/payments/{open_['id']}/captures", {"amount": 100}) for _ in range(3)]
    assert {answer.get_json()["id"] for answer in captures} == {captures[0].get_json()["id"]}
    assert api.get(f"/payments/{open_['id']}").get_json()["amount_captured"] == 100


def test_what_moves_no_money_repeats_too(api):
    for path, sent in (
        ("/checkouts", order()),
        ("/customers", {"name": "Erika"}),
        ("/instruments", {"payment_method": by_card()}),
        ("/payments", order()),
    ):
        answers = [api.once(f"same{path}").post(path, sent) for _ in range(2)]
        assert answers[0].get_json() == answers[1].get_json(), path
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_of_many_at_once_one_does_the_work(api, acquirers):
    sent = order(payment_method=by_card("slow"), merchant_reference="once-3")
    start = threading.Barrier(8)

    def ask(_: int):
        start.wait()
        return api.once("at-once").post("/payments", sent)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    fresh = [answer for answer in answers if answer.status_code == 201 and "Idempotent-Replayed" not in answer.headers]
    others = [answer for answer in answers if answer not in fresh]
    assert len(fresh) == 1
    for answer in others:  # the first still runs, or has just finished
        assert (
            error_of(answer)[:2] == (409, "still_running") if answer.status_code == 409 else answer.status_code == 201
        )
        assert answer.status_code == 201 or int(answer.headers["Retry-After"]) > 0
    assert money(acquirers, "once-3") == [("authorised", 10_000)]


class TestAfterADeath:
    """A real server process is killed while the acquirer works; the client repeats until the outcome is final."""

    @pytest.fixture
    def dying(self, app, tenant, acquirers, tmp_path):
        """Sends a request to a server of its own and kills the server as soon as the acquirer has the request."""

        def send(path: str, sent: dict, key: str, arrived) -> None:
            with live.serving(tmp_path / f"{key}.log") as site:
                body = dumps(sent).encode()
                headers = {
                    "Authorization": f"Bearer {tenant.key}",
                    "Idempotency-Key": key,
                    "Content-Type": "application/json",
                }
                connection = HTTPConnection("127.0.0.1", urlsplit(site.url).port, timeout=10)
                connection.request("POST", f"/v1{path}", body, headers)
                while not arrived():
                    threading.Event().wait(0.02)
                os.killpg(site.process.pid, signal.SIGKILL)
                with pytest.raises(OSError):
                    connection.getresponse()

        return send

    def test_a_killed_capture_is_final_after_the_repetition(self, api, app, acquirers, dying):
        payment = api.pay(merchant_reference="killed-1")
        path, sent = f"/payments/{payment['id']}/captures", {"amount": 6_604}  # done, but no answer
        before = len(acquirers["A"].did(done="captured"))
        dying(path, sent, "killed-1", lambda: len(acquirers["A"].did(done="captured")) > before)
        assert state_of(app, payment["id"], "capture") == "submitted"
        early = api.once("killed-1").ask("POST", path, data=dumps(sent), headers={"Content-Type": "application/json"})
        assert error_of(early)[:2] == (409, "still_running")
        assert int(early.headers["Retry-After"]) > 0
        with time_machine.travel(now() + timedelta(seconds=61)):
            late = api.once("killed-1").ask(
                "POST", path, data=dumps(sent), headers={"Content-Type": "application/json"}
            )
        assert (late.status_code, late.get_json()["status"]) == (201, "succeeded")
        assert late.headers["Idempotent-Replayed"] == "true"
        assert api.get(f"/payments/{payment['id']}").get_json()["amount_captured"] == 6_604
        assert len(acquirers["A"].did(done="captured")) == before + 1

    def test_a_killed_payment_is_found_by_its_repetition(self, api, app, acquirers, dying):
        sent = order(payment_method=by_card("no_answer"), merchant_reference="killed-2")
        dying("/payments", sent, "killed-2", lambda: acquirers["A"].did(done="authorised", reference="killed-2"))
        with time_machine.travel(now() + timedelta(seconds=61)):
            late = api.once("killed-2").ask(
                "POST", "/payments", data=dumps(sent), headers={"Content-Type": "application/json"}
            )
        assert (late.status_code, late.get_json()["status"]) == (201, "authorised")
        assert money(acquirers, "killed-2") == [("authorised", 10_000)]


def state_of(app, payment_id: str, kind: str) -> str:
    with app.app_context(), reading(ALL) as connection:
        return connection.execute(
            OPERATIONS.select()
            .with_only_columns(OPERATIONS.c.state)
            .where(OPERATIONS.c.payment_id == parse_id("pay", payment_id), OPERATIONS.c.kind == kind)
        ).scalar_one()


def test_a_repeated_cancellation_is_answered_with_its_own_outcome(api, acquirers):
    """Not with that of another cancellation, which came after it."""
    payment = api.pay()
    path = f"/payments/{payment['id']}/cancel"
    acquirers["A"].control(next="garbled")
    first = api.once("cancel-a").post(path)
    assert first.status_code == 202
    with api.app.app_context():
        done = Done({"id": parse_id("pay", payment["id"]), "currency": "EUR"}, _cancellations(payment)[0])
        factories.hear(api.tenant, done, "cancel", "declined", 10_000, reference="c-1")
    acquirers["A"].control(next="garbled")
    assert api.once("cancel-b").post(path).status_code == 202
    assert len(_cancellations_in(api, payment)) == 2
    again = api.once("cancel-a").post(path)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert api.once("cancel-b").post(path).status_code == 202


def _cancellations_in(api, payment):
    with api.app.app_context():
        return _cancellations(payment)


def _cancellations(payment):
    return wallets.operations(parse_id("pay", payment["id"]), "cancel")


def test_a_payment_that_was_never_tried_is_cancelled_once(api):
    payment = api.post("/payments", order()).get_json()
    answers = [api.once("cancel-c").post(f"/payments/{payment['id']}/cancel") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {answer.get_json()["status"] for answer in answers} == {"cancelled"}
