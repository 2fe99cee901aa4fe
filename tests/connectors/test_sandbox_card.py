"""The sandbox_card connector against real acquirer processes, and against answers no acquirer should give."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.connectors import sandbox_card
from app.connectors.kinds import (
    Authorise,
    Cancel,
    Capture,
    Contract,
    DeclineCode,
    Enquire,
    NewsRefused,
    Outcome,
    Refund,
    Register,
    Resume,
)
from app.core.http import NotSent, send
from sandbox.acquirers.cards import CARDS
from sandbox.acquirers.letters import LETTERS
from tests.connectors.peers.sandbox_card import card, new_key
from tests.sandbox.running import NEWS_SECRET, RunningAcquirer, running

RETURN_URL = "http://127.0.0.1:1/return?order=7"
DECLINES = {
    "refused": DeclineCode.PROVIDER_DECLINED,
    "insufficient_funds": DeclineCode.INSUFFICIENT_FUNDS,
    "do_not_honour": DeclineCode.DO_NOT_HONOUR,
    "limit_exceeded": DeclineCode.LIMIT_EXCEEDED,
    "suspected_fraud": DeclineCode.SUSPECTED_FRAUD,
    "not_permitted": DeclineCode.NOT_PERMITTED,
    "currency_not_supported": DeclineCode.CURRENCY_NOT_SUPPORTED,
    "amount_not_allowed": DeclineCode.AMOUNT_NOT_ALLOWED,
    "stop_recurring": DeclineCode.NEVER_AGAIN,
    "amex_declined": DeclineCode.DO_NOT_HONOUR,
    "mastercard_funds": DeclineCode.INSUFFICIENT_FUNDS,
    "card_expired": DeclineCode.EXPIRED_CARD,
    "invalid_number": DeclineCode.WRONG_NUMBER,
    "invalid_security_code": DeclineCode.WRONG_SECURITY_CODE,
    "lost_card": DeclineCode.LOST_OR_STOLEN,
    "stolen_card": DeclineCode.LOST_OR_STOLEN,
    "account_closed": DeclineCode.ACCOUNT_CLOSED,
}


@pytest.fixture(scope="module")
def acquirers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, RunningAcquirer]]:
    folder = tmp_path_factory.mktemp("acquirers")
    with (
        running("A", folder) as a,
        running("B", folder) as b,
        running("C", folder) as c,
        running("D", folder) as d,
        running("E", folder) as e,
    ):
        yield {"A": a, "B": b, "C": c, "D": d, "E": e}


@pytest.fixture(params=sorted(LETTERS))
def each(request: pytest.FixtureRequest, acquirers: dict[str, RunningAcquirer]) -> RunningAcquirer:
    return acquirers[request.param]


@pytest.fixture
def a(acquirers: dict[str, RunningAcquirer]) -> RunningAcquirer:
    return acquirers["A"]


def authorising(name: str = "visa", amount: int = 5000, currency: str = "EUR", **more) -> Authorise:
    if "token" not in more:
        more["card"] = card(name)
    return Authorise(new_key(), "card", amount, currency, "order-1", return_url=RETURN_URL, **more)


def authorised(contract: Contract, amount: int = 5000, currency: str = "EUR", **more) -> str:
    answer = sandbox_card.authorise(contract, authorising(amount=amount, currency=currency, **more))
    assert answer.outcome is Outcome.APPROVED and answer.provider_reference
    return answer.provider_reference


def capturing(reference: str, amount: int = 5000, final: bool = False) -> Capture:
    return Capture(new_key(), reference, amount, "EUR", final)


def enquiring(ask: Authorise | Capture | Register) -> Enquire:
    return Enquire("authorise", ask.operation_key, 5000, "EUR")


# Every acquirer, whatever its dialect


def test_every_acquirer_approves_and_says_what_it_knows_of_the_card(each: RunningAcquirer) -> None:
    answer = sandbox_card.authorise(each.contract(), authorising("mastercard_debit", amount=1999))
    assert answer.outcome is Outcome.APPROVED
    assert (answer.brand, answer.last4, answer.funding) == ("mastercard", "8210", "debit")
    assert (answer.issuer_country, answer.amount, answer.token) == ("DE", 1999, None)
    assert answer.scheme_transaction_id
    assert answer.valid_for and 0 <= LETTERS[each.letter].authorisation_seconds - answer.valid_for.total_seconds() < 60


@pytest.mark.parametrize("name", sorted(DECLINES))
def test_every_acquirer_declines_for_the_reason_on_the_card(each: RunningAcquirer, name: str) -> None:
    answer = sandbox_card.authorise(each.contract(), authorising(name))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DECLINES[name])
    assert answer.provider_code


def test_no_declining_card_was_forgotten_above() -> None:
    assert {card.name for card in CARDS if card.outcome == "decline"} == set(DECLINES)


def test_every_acquirer_sends_the_payer_to_3d_secure_and_takes_him_back(each: RunningAcquirer) -> None:
    each.control(acs="auto")
    ask = authorising("challenge")
    asked = sandbox_card.authorise(each.contract(), ask)
    assert asked.outcome is Outcome.ACTION and asked.action and asked.provider_reference
    assert asked.action.framable and asked.action.url.startswith(each.url)
    back = location_of(asked.action.url)
    assert back.startswith(RETURN_URL + "&challenge=")
    answer = sandbox_card.authorise(each.contract(), resumed(ask, asked.provider_reference, back))
    assert (answer.outcome, answer.provider_reference) == (Outcome.APPROVED, asked.provider_reference)


@pytest.mark.parametrize(
    ("name", "decision", "code"),
    [
        ("challenge", "decline", DeclineCode.AUTHENTICATION_FAILED),
        ("challenge_fails", "auto", DeclineCode.AUTHENTICATION_FAILED),
    ],
)
def test_failed_3d_secure_is_a_decline(each: RunningAcquirer, name: str, decision: str, code: DeclineCode) -> None:
    each.control(acs=decision)
    ask = authorising(name)
    asked = sandbox_card.authorise(each.contract(), ask)
    assert asked.action and asked.provider_reference
    back = location_of(asked.action.url)
    answer = sandbox_card.authorise(each.contract(), resumed(ask, asked.provider_reference, back))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, code)


def test_a_payer_who_comes_back_without_the_banks_proof_still_has_to_act(each: RunningAcquirer) -> None:
    ask = authorising("challenge")
    asked = sandbox_card.authorise(each.contract(), ask)
    assert asked.provider_reference
    for parameters in ({}, {"challenge": "approve"}):
        resume = Resume(asked.provider_reference, parameters)
        answer = sandbox_card.authorise(each.contract(), authorising_again(ask, resume))
        assert (answer.outcome, answer.action) == (Outcome.ACTION, asked.action)


def test_the_way_back_from_3d_secure_is_known_by_the_authorisation_and_not_by_our_key(a: RunningAcquirer) -> None:
    a.control(acs="auto")
    asked = sandbox_card.authorise(a.contract(), authorising("challenge"))
    assert asked.action and asked.provider_reference
    another = authorising("challenge")
    back = location_of(asked.action.url)
    answer = sandbox_card.authorise(a.contract(), resumed(another, asked.provider_reference, back))
    assert (answer.outcome, answer.provider_reference) == (Outcome.APPROVED, asked.provider_reference)


@pytest.mark.parametrize("name", ["challenge_always", "challenge_always_mastercard"])
def test_a_charge_without_the_payer_gets_a_soft_decline_from_a_card_that_insists(
    each: RunningAcquirer, name: str
) -> None:
    registered = sandbox_card.register(each.contract(), Register(new_key(), "card", "EUR", card=card(name)))
    assert registered.outcome is Outcome.APPROVED and registered.token
    ask = authorising(token=registered.token, initiator="merchant", series="unscheduled")
    answer = sandbox_card.authorise(each.contract(), ask)
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.AUTHENTICATION_REQUIRED)


def test_a_stored_card_can_be_charged_by_its_token(each: RunningAcquirer) -> None:
    first = sandbox_card.authorise(each.contract(), authorising("amex", store=True, series="first"))
    assert first.token and first.token != card("amex").number
    ask = authorising(token=first.token, initiator="merchant", series="following")
    answer = sandbox_card.authorise(each.contract(), ask)
    assert (answer.outcome, answer.last4) == (Outcome.APPROVED, "0005")


def test_more_than_is_left_is_declined_and_the_rest_can_be_cancelled(each: RunningAcquirer) -> None:
    contract = each.contract()
    reference = authorised(contract)
    too_much = sandbox_card.capture(contract, capturing(reference, 5001))
    assert (too_much.outcome, too_much.code) == (Outcome.DECLINED, DeclineCode.AMOUNT_NOT_ALLOWED)
    cancelled = sandbox_card.cancel(contract, Cancel(new_key(), reference, 5000, "EUR"))
    assert (cancelled.outcome, cancelled.amount) == (Outcome.APPROVED, 5000)
    again = sandbox_card.cancel(contract, Cancel(new_key(), reference, 5000, "EUR"))
    assert (again.outcome, again.code) == (Outcome.DECLINED, DeclineCode.ALREADY_DONE)


def test_captures_and_refunds_never_exceed_what_there_is(each: RunningAcquirer) -> None:
    contract = each.contract()
    reference = authorised(contract)
    settled(each, contract, sandbox_card.capture, capturing(reference, 5000))
    first = settled(each, contract, sandbox_card.refund, Refund(new_key(), reference, 3000, "EUR"))
    assert first.outcome is Outcome.APPROVED
    too_much = sandbox_card.refund(contract, Refund(new_key(), reference, 2001, "EUR"))
    assert (too_much.outcome, too_much.code) == (Outcome.DECLINED, DeclineCode.AMOUNT_NOT_ALLOWED)
    settled(each, contract, sandbox_card.refund, Refund(new_key(), reference, 2000, "EUR"))
    again = sandbox_card.refund(contract, Refund(new_key(), reference, 1, "EUR"))
    assert (again.outcome, again.code) == (Outcome.DECLINED, DeclineCode.ALREADY_DONE)


def test_the_same_key_does_it_once_and_says_the_same(each: RunningAcquirer) -> None:
    contract, before = each.contract(), len(each.done())
    ask = authorising()
    first = sandbox_card.authorise(contract, ask)
    again = sandbox_card.authorise(contract, ask)
    assert (again.outcome, again.provider_reference) == (first.outcome, first.provider_reference)
    assert each.done()[before:] == [("authorised", 5000, ask.operation_key)]


def test_the_same_key_with_another_body_is_understood_as_neither_yes_nor_no(each: RunningAcquirer) -> None:
    contract = each.contract()
    reference = authorised(contract)
    ask = capturing(reference, 1000)
    sandbox_card.capture(contract, ask)
    other = Capture(ask.operation_key, reference, 2000, "EUR", final=False)
    assert sandbox_card.capture(contract, other).outcome is Outcome.UNKNOWN


def test_a_wrong_key_is_our_configuration_and_not_the_payers_fault(each: RunningAcquirer) -> None:
    answer = sandbox_card.authorise(each.contract(api_key="wrong"), authorising())
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.CONFIGURATION)


def test_an_unknown_authorisation_is_declined(each: RunningAcquirer) -> None:
    answer = sandbox_card.capture(each.contract(), capturing("nothing/../here"))
    assert (answer.outcome, answer.provider_code) == (Outcome.DECLINED, "unknown_authorisation")


# Where the acquirers differ


def test_c_takes_one_capture_and_says_what_it_released(acquirers: dict[str, RunningAcquirer]) -> None:
    contract = acquirers["C"].contract()
    reference = authorised(contract)
    first = sandbox_card.capture(contract, capturing(reference, 2000))
    assert (first.outcome, first.amount, first.released) == (Outcome.APPROVED, 2000, 3000)
    second = sandbox_card.capture(contract, capturing(reference, 1000))
    assert (second.outcome, second.code) == (Outcome.DECLINED, DeclineCode.ALREADY_DONE)


@pytest.mark.parametrize("letter", ["A", "D", "E"])
def test_the_others_take_many_captures_and_release_the_rest_with_the_final_one(
    acquirers: dict[str, RunningAcquirer], letter: str
) -> None:
    contract = acquirers[letter].contract()
    reference = authorised(contract)
    assert sandbox_card.capture(contract, capturing(reference, 2000)).released is None
    final = sandbox_card.capture(contract, capturing(reference, 1000, final=True))
    assert (final.outcome, final.released) == (Outcome.APPROVED, 2000)


def test_b_captures_later_and_says_then_what_it_released(acquirers: dict[str, RunningAcquirer]) -> None:
    b = acquirers["B"]
    reference = authorised(b.contract())
    ask = capturing(reference, 2000, final=True)
    answer = sandbox_card.capture(b.contract(), ask)
    assert (answer.outcome, answer.released) == (Outcome.PENDING, None)
    b.run_now()
    found = sandbox_card.enquire(b.contract(), enquiring(ask))
    assert (found.outcome, found.provider_reference) == (Outcome.APPROVED, answer.provider_reference)
    assert found.released == 3000
    rest = sandbox_card.cancel(b.contract(), Cancel(new_key(), reference, 3000, "EUR"))
    assert (rest.outcome, rest.code) == (Outcome.DECLINED, DeclineCode.ALREADY_DONE)


def test_d_is_not_found_by_enquiry_at_once(acquirers: dict[str, RunningAcquirer]) -> None:
    d = acquirers["D"]
    ask = authorising()
    reference = sandbox_card.authorise(d.contract(), ask).provider_reference
    assert sandbox_card.enquire(d.contract(), enquiring(ask)).outcome is Outcome.UNKNOWN
    shown = d.control(clock_offset=d.control()["clock_offset"] + 3)
    assert shown["clock_offset"] >= 3
    found = sandbox_card.enquire(d.contract(), enquiring(ask))
    assert (found.outcome, found.provider_reference) == (Outcome.APPROVED, reference)


def test_e_lets_an_authorisation_fade_after_a_day_and_renews_it(tmp_path: Path) -> None:
    with running("E", tmp_path) as e:
        contract = e.contract()
        old = authorised(contract)
        e.control(clock_offset=25 * 3600)
        late = sandbox_card.capture(contract, capturing(old))
        assert (late.outcome, late.code) == (Outcome.DECLINED, DeclineCode.EXPIRED)
        renewal = Authorise(new_key(), "card", 5000, "EUR", "order-1", reauthorise=old)
        new = sandbox_card.authorise(contract, renewal)
        assert new.outcome is Outcome.APPROVED and new.provider_reference != old
        assert sandbox_card.capture(contract, capturing(new.provider_reference or "")).outcome is Outcome.APPROVED
        of_the_old = sandbox_card.capture(contract, capturing(old))
        assert (of_the_old.outcome, of_the_old.code) == (Outcome.DECLINED, DeclineCode.ALREADY_DONE)


def test_a_renewal_is_for_no_more_than_what_is_left(a: RunningAcquirer) -> None:
    contract = a.contract()
    old = authorised(contract)
    sandbox_card.capture(contract, capturing(old, 2000))
    renewal = Authorise(new_key(), "card", 3001, "EUR", "order-1", reauthorise=old)
    answer = sandbox_card.authorise(contract, renewal)
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.AMOUNT_NOT_ALLOWED)


# Silence and confusion


@pytest.mark.parametrize("name", ["garbled", "unknown_word", "broken"])
def test_an_authorisation_nobody_understood_is_unknown_until_an_enquiry_finds_it(
    each: RunningAcquirer, name: str
) -> None:
    ask = authorising(name)
    assert sandbox_card.authorise(each.contract(), ask).outcome is Outcome.UNKNOWN
    if each.letter == "D":
        each.control(clock_offset=each.control()["clock_offset"] + 3)
    found = sandbox_card.enquire(each.contract(), enquiring(ask))
    assert (found.outcome, found.last4) == (Outcome.APPROVED, card(name).last4)


@pytest.mark.parametrize("ending", [6606, 6610, 6613])
def test_so_is_every_move_of_money(each: RunningAcquirer, ending: int) -> None:
    contract = each.contract()
    reference = authorised(contract, amount=40_000)
    ask = capturing(reference, 10_000 + ending)
    assert sandbox_card.capture(contract, ask).outcome is Outcome.UNKNOWN
    each.run_now()
    if each.letter == "D":
        each.control(clock_offset=each.control()["clock_offset"] + 3)
    found = sandbox_card.enquire(contract, enquiring(ask))
    assert (found.outcome, found.amount) == (Outcome.APPROVED, 10_000 + ending)


def test_a_line_that_is_cut_is_silence(a: RunningAcquirer) -> None:
    ask = authorising("close")
    assert sandbox_card.authorise(a.contract(), ask).outcome is Outcome.UNKNOWN


def test_an_acquirer_that_says_it_did_not_process_is_as_good_as_not_reached(each: RunningAcquirer) -> None:
    before = each.done()
    with pytest.raises(NotSent):
        sandbox_card.authorise(each.contract(), authorising("busy"))
    assert each.done() == before


def test_a_bare_503_proves_nothing(a: RunningAcquirer) -> None:
    a.control(down="503")
    try:
        assert sandbox_card.authorise(a.contract(), authorising()).outcome is Outcome.UNKNOWN
    finally:
        a.control(down=False)


def test_nothing_listening_is_not_sent(tmp_path: Path) -> None:
    with running("A", tmp_path) as gone:
        contract = gone.contract()
    with pytest.raises(NotSent):
        sandbox_card.authorise(contract, authorising())


def test_an_enquiry_about_what_never_arrived_is_answered_with_a_promise_to_refuse_it(each: RunningAcquirer) -> None:
    ask, before = authorising(), each.done()
    if each.letter == "D":
        assert sandbox_card.enquire(each.contract(), enquiring(ask)).outcome is Outcome.UNKNOWN
        each.control(clock_offset=each.control()["clock_offset"] + 3)
    answer = sandbox_card.enquire(each.contract(), enquiring(ask))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.NEVER_ARRIVED)
    late = sandbox_card.authorise(each.contract(), ask)
    assert (late.outcome, late.code) == (Outcome.DECLINED, DeclineCode.PROVIDER_DECLINED)
    assert each.done() == before


def test_a_refused_enquiry_says_nothing_about_the_operation(a: RunningAcquirer) -> None:
    ask = authorising()
    sandbox_card.authorise(a.contract(), ask)
    assert sandbox_card.enquire(a.contract(api_key="wrong"), enquiring(ask)).outcome is Outcome.UNKNOWN
    a.control(next="busy")
    assert sandbox_card.enquire(a.contract(), enquiring(ask)).outcome is Outcome.UNKNOWN


NONSENSE = [
    (200, "application/json", b""),
    (200, "application/json", b"null"),
    (200, "application/json", b"[" * 100_000),
    (200, "application/json", b'{"status":"approved"}'),
    (200, "application/json", b'{"status":"approved","id":"x","key":"another"}'),
    (200, "application/json", b'{"status":"approved","id":7,"key":"KEY"}'),
    (200, "application/json", b'{"status":"approved","id":"\\ud800","key":"KEY"}'),
    (200, "application/json", b'{"status":"approved","id":"a\\u0000b","key":"KEY"}'),
    (200, "application/json", b'{"status":"approved","id":"x","key":"KEY","amount":-1}'),
    (200, "application/json", b'{"status":"approved","id":"x","key":"KEY","amount":12.5}'),
    (200, "application/json", b'{"status":"approved","id":"x","key":"KEY","amount":true}'),
    (200, "application/json", b'{"status":"approved","id":"x","key":"KEY","valid_for_seconds":1e400}'),
    (200, "application/json", b'{"status":["approved"],"id":"x","key":"KEY"}'),
    (200, "application/json", b'{"status":"Approved","id":"x","key":"KEY"}'),
    (200, "application/json", b'{"status":"action","id":"x","key":"KEY"}'),
    (200, "application/json", b'{"status":"action","id":"x","key":"KEY","action_url":"javascript:alert(1)"}'),
    (200, "application/json", b'{"error":"something new"}'),
    (200, "application/x-www-form-urlencoded", b"result"),
    (200, "application/x-www-form-urlencoded", b"result=ACK&id=\xff&key=KEY"),
    (500, "application/json", b'{"status":"approved","id":"x","key":"KEY"}'),
    (503, "text/html", b"<h1>not_processed</h1>"),
    (302, "text/html", b""),
]


@pytest.mark.parametrize(("status", "content_type", "body"), NONSENSE)
def test_what_no_acquirer_should_say_is_unknown(status: int, content_type: str, body: bytes) -> None:
    ask = authorising()
    with saying(status, content_type, body.replace(b"KEY", ask.operation_key.encode())) as contract:
        assert sandbox_card.authorise(contract, ask).outcome is Outcome.UNKNOWN


def test_the_same_frame_around_a_sound_answer_is_a_yes() -> None:
    ask = authorising()
    body = json.dumps({"status": "approved", "id": "x", "key": ask.operation_key, "valid_for_seconds": 10**11})
    with saying(200, "application/json", body.encode()) as contract:
        answer = sandbox_card.authorise(contract, ask)
    assert (answer.outcome, answer.provider_reference) == (Outcome.APPROVED, "x")
    assert answer.valid_for == sandbox_card.LONGEST_LIFETIME


# What goes over the wire, and what must not


@pytest.mark.parametrize(("currency", "minor"), [("EUR", 1999), ("JPY", 500), ("KWD", 12_345)])
def test_amounts_travel_as_minor_units(a: RunningAcquirer, currency: str, minor: int) -> None:
    reference = authorised(a.contract(), amount=minor, currency=currency)
    sandbox_card.capture(a.contract(), Capture(new_key(), reference, minor, currency, final=True))
    received = a.control()["received"][-2:]
    assert [(request["amount"], request["currency"]) for request in received] == [(minor, currency)] * 2


def test_neither_logs_nor_answers_hold_the_card_or_a_secret(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with running("A", tmp_path) as a, capture_logs() as logs:
        code = "7391"
        asks = [Authorise(new_key(), "card", 5000, "EUR", "o", card=card("amex", code), store=True)]
        asks += [authorising(name) for name in ("garbled", "unknown_word", "broken", "close", "insufficient_funds")]
        answers = [sandbox_card.authorise(a.contract(), ask) for ask in asks]
        secrets = [ask.card.number for ask in asks if ask.card] + [*a.contract().settings.values()][1:]
        said = repr(logs) + repr(answers) + repr(asks) + repr(a.contract()) + a.journal_path.read_text()
    output = capfd.readouterr()
    assert [secret for secret in secrets if secret in said + output.out + output.err] == []
    assert f'"{code}"' not in said and code not in repr(answers)
    assert len(logs) == 4


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "4242424242424242", "id": "x"},
        {"error": "4242424242424242"},
        {"status": "declined", "reason": "4242424242424242", "message": "card 4242 4242 4242 4242", "id": "x"},
    ],
)
def test_a_card_number_echoed_by_the_acquirer_goes_nowhere(fields: dict[str, str]) -> None:
    ask = authorising()
    body = json.dumps({**fields, "key": ask.operation_key})
    with saying(200, "application/json", body.encode()) as contract, capture_logs() as logs:
        answer = sandbox_card.authorise(contract, ask)
    assert answer.outcome is (Outcome.DECLINED if "reason" in fields else Outcome.UNKNOWN)
    assert "4242424242424242" not in (repr(logs) + repr(answer)).replace(" ", "")


# Notifications (their sending is tested with the acquirers)


def news_of(**fields: object) -> bytes:
    whole = {"news": "n1", "kind": "capture", "status": "approved", "key": "op_1", "id": "A_cp_1"}
    whole |= {"authorisation": "A_au_1", "amount": 1250, "currency": "EUR", "occurred_at": 1_900_000_000, **fields}
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


def signed(body: bytes, secret: str = NEWS_SECRET, at: float | None = None) -> dict[str, str]:
    moment = str(int(time.time() if at is None else at))
    mac = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Sandbox-Signature": f"t={moment},v1={mac}", "Content-Type": "application/json"}


CONTRACT = Contract("ct_1", "sandbox_card", False, {"url": "http://x", "api_key": "k", "news_secret": NEWS_SECRET})


def test_a_signed_notification_is_one_fact() -> None:
    body = news_of()
    (fact,) = sandbox_card.read_news(CONTRACT, signed(body), body)
    assert (fact.id, fact.kind, fact.outcome, fact.amount) == ("n1", "capture", Outcome.APPROVED, 1250)
    assert (fact.operation_key, fact.authorisation_reference) == ("op_1", "A_au_1")
    assert fact.occurred_at and fact.occurred_at.timestamp() == 1_900_000_000


def test_a_capture_that_let_go_of_the_rest_is_two_facts() -> None:
    body = news_of(released=750)
    capture, release = sandbox_card.read_news(CONTRACT, signed(body), body)
    assert (capture.amount, capture.released) == (1250, False)
    assert (release.kind, release.amount, release.released) == ("cancel", 750, True)
    assert release.authorisation_reference == "A_au_1" and release.id != capture.id


@pytest.mark.parametrize(
    "headers",
    [
        dict,
        lambda: signed(news_of(), secret="another"),
        lambda: signed(news_of(amount=1)),
        lambda: signed(news_of(), at=time.time() - 301),
        lambda: signed(news_of(), at=time.time() + 400),
        lambda: {"X-Sandbox-Signature": "t=,v1="},
        lambda: {"X-Sandbox-Signature": "t=١٢٣,v1=é"},
    ],
)
def test_a_notification_that_is_not_ours_or_not_of_now_is_refused(headers: Callable[[], dict[str, str]]) -> None:
    with pytest.raises(NewsRefused):
        sandbox_card.read_news(CONTRACT, headers(), news_of())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        news_of(news=None),
        news_of(amount="-5"),
        news_of(occurred_at=999_999_999_999),
        news_of(kind="dispute", turn="maybe"),
        news_of(kind="dispute", turn="inquiry", respond_by="soon"),
    ],
)
def test_a_signed_notification_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(NewsRefused):
        sandbox_card.read_news(CONTRACT, signed(body), body)


def test_an_unknown_word_in_a_notification_is_unknown_and_an_unknown_kind_is_no_fact() -> None:
    odd = news_of(status="perhaps")
    (fact,) = sandbox_card.read_news(CONTRACT, signed(odd), odd)
    assert fact.outcome is Outcome.UNKNOWN
    new = news_of(kind="weather")
    assert sandbox_card.read_news(CONTRACT, signed(new), new) == []


# Tools


def settled(acquirer: RunningAcquirer, contract: Contract, verb, ask):
    """The outcome after whatever the acquirer does later."""
    answer = verb(contract, ask)
    if answer.outcome is Outcome.PENDING:
        acquirer.run_now()
        if acquirer.letter == "D":
            acquirer.control(clock_offset=acquirer.control()["clock_offset"] + 3)
        answer = sandbox_card.enquire(contract, enquiring(ask))
    assert answer.outcome is Outcome.APPROVED
    return answer


def authorising_again(ask: Authorise, resume: Resume) -> Authorise:
    return Authorise(
        ask.operation_key,
        "card",
        ask.amount,
        ask.currency,
        ask.merchant_reference,
        return_url=RETURN_URL,
        resume=resume,
    )


def resumed(ask: Authorise, reference: str, back: str) -> Authorise:
    return authorising_again(ask, Resume(reference, {"order": "7", "challenge": back.rpartition("=")[2]}))


def location_of(url: str) -> str:
    """Where the page sends the browser; only for pages that redirect at once."""
    response = send("GET", url)
    assert response.status == 303
    return response.headers["location"]


@contextmanager
def saying(status: int, content_type: str, body: bytes) -> Iterator[Contract]:
    """A contract with a peer that always says this."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    settings = {"url": f"http://127.0.0.1:{server.server_address[1]}", "api_key": "k", "news_secret": NEWS_SECRET}
    try:
        yield Contract("ct_1", "sandbox_card", False, settings)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
