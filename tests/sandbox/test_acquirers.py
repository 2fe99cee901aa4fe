"""The sandbox acquirers as processes: what they really do, what they remember, and what they tell."""

import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from app.connectors import sandbox_card
from app.connectors._sandbox_card_words import REASONS
from app.connectors.kinds import DeclineCode, News, Outcome
from app.core.http import send
from sandbox.acquirers import journal
from sandbox.acquirers.cards import AMOUNTS, CARD_BY_NAME, CARDS, amount_rule
from tests.sandbox.running import API_KEY, NEWS_SECRET, REPOSITORY, Receiver, RunningAcquirer, receiving, running

JOURNAL_SEES_NOTHING = frozenset({"silence", "close", "busy"})


@pytest.fixture
def a(tmp_path: Path) -> Iterator[RunningAcquirer]:
    with running("A", tmp_path) as acquirer:
        yield acquirer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def card_of(name: str) -> dict[str, object]:
    card = CARD_BY_NAME[name]
    return {"number": card.number, "expiry_month": 12, "expiry_year": 2034, "security_code": card.security_code}


def authorising(name: str = "visa", amount: int = 5000, **more: Any) -> dict[str, object]:
    body = {"amount": amount, "currency": "EUR", "reference": "order-1", "return_url": "http://127.0.0.1:1/back"}
    return {**body, "card": card_of(name), **more}


def authorised(acquirer: RunningAcquirer, key: str = "auth", amount: int = 5000, **more: Any) -> str:
    status, answer = acquirer.request("POST", "/v1/authorisations", authorising(amount=amount, **more), key=key)
    assert status == 200, answer
    return answer["id"]


def moved(acquirer: RunningAcquirer, what: str, authorisation: str, amount: int, key: str) -> tuple[int, dict]:
    body = {"amount": amount, "currency": "EUR"}
    return acquirer.request("POST", f"/v1/authorisations/{authorisation}/{what}", body, key=key)


# The published cards and amounts


def test_every_published_number_passes_the_luhn_check() -> None:
    assert [card.name for card in CARDS if luhn_sum(card.number) % 10] == []
    assert {len(card.number) for card in CARDS if card.brand == "amex"} == {15}


def test_names_numbers_and_endings_are_used_once() -> None:
    assert len({card.name for card in CARDS}) == len({card.number for card in CARDS}) == len(CARDS)
    assert len({amount.ending for amount in AMOUNTS}) == len(AMOUNTS)
    assert amount_rule(1_236_601).outcome == "decline" and amount_rule(66_010).outcome == "approve"


def test_there_is_a_card_for_every_reason_a_card_payment_can_be_declined_for() -> None:
    by_time_or_by_the_acquirer = {
        DeclineCode.PAYER_CANCELLED,  # a button on the 3-D Secure page
        DeclineCode.ALREADY_DONE,
        DeclineCode.EXPIRED,
        DeclineCode.CONFIGURATION,
        DeclineCode.NEVER_ARRIVED,
    }
    of_cards = {REASONS[card.reason] for card in CARDS if card.reason}
    assert of_cards == set(DeclineCode) - by_time_or_by_the_acquirer


def test_every_card_and_amount_is_explained_in_both_languages() -> None:
    assert [rule for rule in (*CARDS, *AMOUNTS) if not (rule.en and rule.de)] == []


def test_numbers_are_printed_as_on_the_card() -> None:
    assert CARD_BY_NAME["visa"].printed == "4242 4242 4242 4242"
    assert (CARD_BY_NAME["amex"].printed, CARD_BY_NAME["amex"].security_code) == ("3782 822463 10005", "1234")


def test_a_number_that_is_not_published_is_declined(a: RunningAcquirer) -> None:
    body = authorising()
    body["card"] = {**card_of("visa"), "number": "4929123412341234"}
    status, answer = a.request("POST", "/v1/authorisations", body, key="k")
    assert (status, answer["reason"], answer["last4"]) == (402, "invalid_number", "1234")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"expiry_year": 2020}, "card_expired"),
        ({"security_code": "1234"}, "invalid_security_code"),
        ({"security_code": "12x"}, "invalid_security_code"),
    ],
)
def test_a_mistyped_card_is_declined(a: RunningAcquirer, changed: dict[str, Any], reason: str) -> None:
    body = authorising()
    body["card"] = {**card_of("visa"), **changed}
    assert a.request("POST", "/v1/authorisations", body, key="k")[1]["reason"] == reason


# The journal


def test_the_journal_tells_one_to_one_what_was_really_done(a: RunningAcquirer) -> None:
    id = authorised(a)
    moved(a, "captures", id, 3000, "capture")
    moved(a, "captures", id, 3000, "too much")
    moved(a, "refunds", id, 1000, "refund")
    moved(a, "cancels", id, 2000, "cancel")
    a.request("POST", "/v1/authorisations", authorising("insufficient_funds"), key="declined")
    assert a.done() == [
        ("authorised", 5000, "auth"),
        ("captured", 3000, "capture"),
        ("refunded", 1000, "refund"),
        ("cancelled", 2000, "cancel"),
    ]
    for line in journal.money(a.journal_path):
        assert (line["currency"], line["reference"], line["last4"]) == ("EUR", "order-1", "4242")


def test_the_journal_knows_the_last_four_digits_and_nothing_more_of_a_card(a: RunningAcquirer) -> None:
    body = authorising("amex", store=True)
    body["card"] = {**card_of("amex"), "security_code": "7391", "holder": "Erika Mustermann"}
    a.request("POST", "/v1/authorisations", body, key="auth")
    a.request("POST", "/v1/tokens", {"card": body["card"]}, key="token")
    written = a.journal_path.read_text()
    assert '"last4":"0005"' in written
    assert [secret for secret in ("378282246310005", '"7391"', "Mustermann", API_KEY) if secret in written] == []


@pytest.mark.parametrize("ending", [amount.ending for amount in AMOUNTS if amount.effect != "very_slow"])
def test_an_amount_does_what_is_published(a: RunningAcquirer, ending: int) -> None:
    rule = amount_rule(ending)
    id = authorised(a, amount=20_000)
    try:
        moved_with_patience = a.request(
            "POST",
            f"/v1/authorisations/{id}/captures",
            {"amount": 10_000 + ending, "currency": "EUR"},
            key="capture",
            seconds=1,
        )
    except (OSError, ValueError):  # silence, a cut line, or not JSON
        moved_with_patience = None
    if rule.effect in ("no_answer", "silence", "close", "garbled", "broken"):
        assert moved_with_patience is None
    a.run_now()
    expected = rule.outcome in ("approve", "pending") and rule.effect not in JOURNAL_SEES_NOTHING
    assert (("captured", 10_000 + ending, "capture") in a.done()) is expected


@pytest.mark.parametrize("name", ["no_answer", "silence"])
def test_two_kinds_of_silence_differ_in_what_was_done(a: RunningAcquirer, name: str) -> None:
    with pytest.raises(TimeoutError):
        a.request("POST", "/v1/authorisations", authorising(name), key="auth", seconds=0.5)
    assert [done for done, _, _ in a.done()] == (["authorised"] if name == "no_answer" else [])


def test_latency_and_hanging_are_controlled(a: RunningAcquirer) -> None:
    a.control(hang=True)
    with pytest.raises(TimeoutError):
        a.request("POST", "/v1/authorisations", authorising(), key="auth", seconds=0.5)
    assert a.request("GET", "/health") == (200, {"acquirer": "A"})
    a.control(hang=False, latency_ms=200)
    with pytest.raises(TimeoutError):
        a.request("POST", "/v1/authorisations", authorising(), key="second", seconds=0.1)
    authorised(a, "third")
    assert [key for _, _, key in a.done()] == ["second", "third"]


# Memory


def test_kill_9_forgets_nothing(a: RunningAcquirer) -> None:
    body = authorising(store=True)
    first = a.request("POST", "/v1/authorisations", body, key="auth")
    id, token = first[1]["id"], first[1]["token"]
    captured = moved(a, "captures", id, 3000, "capture")
    declined = moved(a, "captures", id, 3000, "too much")
    a.kill()
    a.start()
    # How long it still lives is told in seconds and may have gone on by one.
    again = a.request("POST", "/v1/authorisations", body, key="auth")
    assert without_lifetime(again) == without_lifetime(first)
    assert moved(a, "captures", id, 3000, "capture") == captured
    assert moved(a, "captures", id, 3000, "too much") == declined
    assert moved(a, "captures", id, 2001, "new")[1]["reason"] == "more_than_left"
    charged = a.request("POST", "/v1/authorisations", {"amount": 1, "currency": "EUR", "token": token}, key="token")
    assert charged[1]["status"] == "approved"
    assert [key for _, _, key in a.done()] == ["auth", "capture", "token"]


def test_what_was_pending_when_killed_is_done_after_the_restart(tmp_path: Path) -> None:
    with running("B", tmp_path) as b:
        b.control(pending_seconds=1000)
        b.request("POST", "/v1/authorisations", authorising("pending"), key="auth")
        b.kill()
        assert b.done() == []
        b.start()
        assert b.run_now() == 1
        assert b.done() == [("authorised", 5000, "auth")]


def test_a_line_torn_by_a_kill_was_never_answered_and_is_cut_off(a: RunningAcquirer) -> None:
    authorised(a, "whole")
    a.kill()
    with a.journal_path.open("a") as file:
        file.write('{"done":"authorised","id":"A_au_torn","key":"torn","amou')
    a.start()
    authorised(a, "torn")
    assert [key for _, _, key in a.done()] == ["whole", "torn"]
    assert [line["key"] for line in journal.read(a.journal_path)] == ["whole", "torn"]


def test_two_processes_never_write_one_journal(a: RunningAcquirer) -> None:
    command = [sys.executable, "-m", "sandbox.acquirers", "A", "--journal", str(a.journal_path)]
    second = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=30)
    assert second.returncode == 1 and "in use" in second.stderr


def test_the_same_key_with_another_body_is_an_error_and_does_nothing(a: RunningAcquirer) -> None:
    id = authorised(a)
    moved(a, "captures", id, 1000, "capture")
    assert moved(a, "captures", id, 2000, "capture") == (409, {"error": "key_reused"})
    assert a.request("POST", "/v1/authorisations", authorising(), key="capture")[0] == 409
    assert len(a.done()) == 2


def test_the_clock_goes_forward_only_and_stays_there(a: RunningAcquirer) -> None:
    id = authorised(a)
    a.control(clock_offset=8 * 86_400)
    assert a.request("POST", "/control", {"clock_offset": 0})[0] == 422
    a.kill()
    a.start()
    assert moved(a, "captures", id, 5000, "capture")[1]["reason"] == "authorisation_expired"


# Bad requests


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": 0},
        {"amount": -1},
        {"amount": 1.5},
        {"amount": "5000"},
        {"amount": True},
        {"amount": 10**12},
        {"currency": "EURO"},
        {"currency": ["EUR"]},
        {"card": None},
        {"card": {"number": "4242"}},
        {"card": {"number": "4242424242424242"}},
        {"initiator": "nobody"},
        {"return_url": "javascript:alert(1)"},
        {"news_url": "http://x/\r\nX: y"},
        {"reference": "x" * 501},
    ],
)
def test_a_request_that_is_wrong_in_itself_is_refused_and_not_remembered(
    a: RunningAcquirer, changed: dict[str, Any]
) -> None:
    status, answer = a.request("POST", "/v1/authorisations", authorising(**changed), key="k")
    assert (status, answer["error"].partition("_")[0]) == (422, "invalid")
    assert a.journal_path.read_text() == ""
    authorised(a, "k")


def test_without_the_key_nothing_is_told(a: RunningAcquirer) -> None:
    id = authorised(a)
    stranger = a.contract(api_key="wrong")
    for path in (f"/v1/operations/{id}", "/v1/operations?key=auth"):
        response = send("GET", stranger.settings["url"] + path, headers={"Authorization": "Bearer wrong"})
        assert (response.status, json.loads(response.body)) == (401, {"error": "wrong_key"})


def test_a_browser_cannot_be_tricked_into_steering_an_acquirer(a: RunningAcquirer) -> None:
    response = send("POST", f"{a.url}/control", headers={"Content-Type": "text/plain"}, body=b'{"hang":true}')
    assert response.status == 415
    authorised(a)


# Notifications


def facts(acquirer: RunningAcquirer, receiver: Receiver, count: int) -> list[News]:
    """The next notifications, read by the connector, so that signature and form are checked too."""
    read = [receiver.next() for _ in range(count)]
    return [fact for headers, body in read for fact in sandbox_card.read_news(acquirer.contract(), headers, body)]


@pytest.mark.parametrize("letter", ["A", "B", "C", "D", "E"])
def test_what_was_pending_is_told_when_it_is_done(tmp_path: Path, receiver: Receiver, letter: str) -> None:
    with running(letter, tmp_path) as acquirer:
        acquirer.control(pending_seconds=0)
        acquirer.request("POST", "/v1/authorisations", authorising("pending", news_url=receiver.url), key="auth")
        (fact,) = facts(acquirer, receiver, 1)
    assert (fact.kind, fact.outcome, fact.operation_key) == ("authorise", Outcome.APPROVED, "auth")
    assert (fact.amount, fact.currency) == (5000, "EUR")


def test_a_decline_that_comes_later_is_told_with_its_reason(a: RunningAcquirer, receiver: Receiver) -> None:
    a.control(pending_seconds=0)
    a.request("POST", "/v1/authorisations", authorising("pending_decline", news_url=receiver.url), key="auth")
    (fact,) = facts(a, receiver, 1)
    assert (fact.outcome, fact.code) == (Outcome.DECLINED, DeclineCode.DO_NOT_HONOUR)


def test_b_tells_everything_and_a_only_what_no_answer_could_carry(tmp_path: Path, receiver: Receiver) -> None:
    with running("A", tmp_path) as a, running("B", tmp_path) as b:
        for acquirer in (a, b):
            acquirer.request("POST", "/v1/authorisations", authorising(news_url=receiver.url), key=acquirer.letter)
        (fact,) = facts(b, receiver, 1)
        assert a.run_now() == 0
    assert fact.operation_key == "B"


def test_a_duplicate_has_the_same_id(a: RunningAcquirer, receiver: Receiver) -> None:
    authorised(a, name="news_duplicate", news_url=receiver.url)
    first, second = facts(a, receiver, 2)
    assert first.id == second.id and first == second


def test_a_capture_can_be_heard_of_before_its_authorisation(a: RunningAcquirer, receiver: Receiver) -> None:
    id = authorised(a, name="news_reordered", news_url=receiver.url)
    moved(a, "captures", id, 5000, "capture")
    assert [fact.kind for fact in facts(a, receiver, 2)] == ["capture", "authorise"]


def test_a_late_notification_waits_until_long_after_the_deed(a: RunningAcquirer, receiver: Receiver) -> None:
    a.control(pending_seconds=1000, late_seconds=1000)
    a.request("POST", "/v1/authorisations", authorising("news_late", news_url=receiver.url), key="auth")
    assert a.run_now() == 1
    assert a.done() == [("authorised", 5000, "auth")] and receiver.received.empty()
    assert a.run_now() == 1
    (fact,) = facts(a, receiver, 1)
    assert (fact.operation_key, fact.outcome) == ("auth", Outcome.APPROVED)


def test_a_notification_is_repeated_until_it_is_taken(a: RunningAcquirer, receiver: Receiver) -> None:
    receiver.refuse = 2
    authorised(a, name="news_duplicate", news_url=receiver.url)
    (fact,) = facts(a, receiver, 1)
    assert (fact.operation_key, receiver.refuse) == ("auth", 0)


def test_notifications_can_be_lost(a: RunningAcquirer, receiver: Receiver) -> None:
    a.control(news=False)
    authorised(a, name="news_duplicate", news_url=receiver.url)
    assert a.run_now() == 0 and receiver.received.empty()


def test_the_signature_is_over_time_and_body(a: RunningAcquirer, receiver: Receiver) -> None:
    authorised(a, name="news_duplicate", news_url=receiver.url)
    headers, body = receiver.next()
    parts = dict(parse_qsl(headers["X-Sandbox-Signature"].replace(",", "&")))
    expected = hmac.new(NEWS_SECRET.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    assert parts["v1"] == expected


# Disputes


def test_a_chargeback_comes_by_itself_after_the_capture(a: RunningAcquirer, receiver: Receiver) -> None:
    a.control(dispute_seconds=1000)
    id = authorised(a, name="inquiry_chargeback", news_url=receiver.url)
    moved(a, "captures", id, 5000, "capture")
    assert a.run_now() == 2
    inquiry, chargeback = sorted(facts(a, receiver, 2), key=lambda fact: fact.id)
    assert inquiry.dispute and chargeback.dispute
    assert (inquiry.dispute.turn, chargeback.dispute.turn) == ("inquiry", "charged_back")
    assert (chargeback.amount, chargeback.dispute.fee, chargeback.authorisation_reference) == (5000, 1500, id)
    assert inquiry.dispute.respond_by and chargeback.dispute.reason == "fraudulent"
    assert inquiry.dispute.provider_reference == chargeback.dispute.provider_reference
    assert a.done()[-1] == ("charged_back", 5000, "auth")
    assert moved(a, "refunds", id, 1, "refund")[1]["reason"] == "charged_back"


def test_what_was_charged_back_can_be_won_back_or_lost(a: RunningAcquirer) -> None:
    id = authorised(a)
    moved(a, "captures", id, 5000, "capture")
    moved(a, "refunds", id, 1000, "refund")
    assert a.dispute(id, "reversed")[0] == 422
    assert a.dispute(id, "charged_back") == (200, {"turns": ["charged_back"]})
    assert a.done()[-1] == ("charged_back", 4000, "auth")
    assert a.dispute(id, "charged_back")[0] == 422
    assert a.dispute(id, "reversed")[0] == 200
    assert moved(a, "refunds", id, 4000, "all of it")[0] == 200
    assert a.dispute(id, "charged_back")[0] == 422


def test_disputes_to_come_survive_a_kill(a: RunningAcquirer) -> None:
    a.control(dispute_seconds=1000)
    id = authorised(a, name="chargeback_reversed")
    moved(a, "captures", id, 5000, "capture")
    a.kill()
    a.start()
    assert a.run_now() == 2
    assert [done for done, _, _ in a.done()] == ["authorised", "captured", "charged_back", "reversed"]


# Tools


def luhn_sum(number: str) -> int:
    digits = [int(digit) for digit in reversed(number)]
    return sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])


def without_lifetime(answer: tuple[int, dict]) -> tuple[int, dict]:
    status, fields = answer
    return status, {name: value for name, value in fields.items() if name != "valid_for_seconds"}
