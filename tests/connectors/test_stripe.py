"""Stripe, against the stand-in of `sandbox/stripe`."""

import re
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, request

from app.config import settings
from app.connectors import stripe
from app.connectors.kinds import (
    Authorise,
    Cancel,
    Capture,
    Contract,
    DeclineCode,
    Enquire,
    Outcome,
    Refund,
    Register,
    Resume,
)
from app.core.http import NotSent
from tests.connectors.peers import stripe as peer
from tests.connectors.peers._serving import free_port, get_json, served

THREE_DS = "4000002500003155"
THREE_DS_EVERY_TIME = "4000002760003184"


@pytest.fixture(scope="module")
def contract() -> Iterator[Contract]:
    with peer.peer() as opened:
        yield opened


@pytest.fixture
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A silent provider is given up after half a second."""
    monkeypatch.setenv("HTTP_DEADLINE_SECONDS", "0.5")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def done(contract: Contract, what: str, reference: str | None) -> list[dict]:
    """What the stand-in really did to an intent, by its own journal."""
    did = get_json(contract.settings["url"] + "/_control/did")
    return [one for one in did if one["did"] == what and one["id"] == reference]


def calls(contract: Contract, since: int = 0) -> list[dict]:
    return get_json(contract.settings["url"] + "/_control/received")[since:]


def choose(url: str, choice: str) -> str:
    """Answers the 3-D Secure page. -> where it sends the payer."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    form = urllib.parse.urlencode({"choice": choice}).encode()
    try:
        urllib.request.build_opener(Stay).open(url, form)
    except urllib.error.HTTPError as answer:
        assert answer.code == 303
        return answer.headers["Location"]
    raise AssertionError("no redirect")


# Authorising


def test_an_authorisation_is_approved_with_what_is_known_of_the_card(contract: Contract) -> None:
    answer = stripe.authorise(contract, peer.authorisation("5200828282828210", amount=1999))
    assert answer.outcome is Outcome.APPROVED
    assert answer.provider_reference and answer.provider_reference.startswith("pi_")
    assert (answer.amount, answer.token) == (1999, None)
    assert (answer.brand, answer.last4, answer.funding, answer.issuer_country) == ("mastercard", "8210", "debit", "US")
    assert answer.scheme_transaction_id
    assert answer.valid_for is not None and 6 <= answer.valid_for.total_seconds() / 86_400 <= 7


def test_the_intent_exists_before_the_card_is_sent(contract: Contract) -> None:
    before = len(calls(contract))
    ask = peer.authorisation()
    stripe.authorise(contract, ask)
    first, second, *_ = calls(contract, before)
    assert first["path"].endswith("/payment_intents") and "payment_method" not in first["asked"]
    assert first["asked"]["metadata[operation_key]"] == ask.operation_key
    assert first["asked"]["capture_method"] == "manual"
    assert second["path"].endswith("/payment_methods")


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        ("4000000000000002", DeclineCode.PROVIDER_DECLINED, "generic_decline"),
        ("4000000000009995", DeclineCode.INSUFFICIENT_FUNDS, "insufficient_funds"),
        ("4000000000009987", DeclineCode.LOST_OR_STOLEN, "lost_card"),
        ("4000000000009979", DeclineCode.LOST_OR_STOLEN, "stolen_card"),
        ("4000000000000069", DeclineCode.EXPIRED_CARD, "expired_card"),
        ("4000000000000127", DeclineCode.WRONG_SECURITY_CODE, "incorrect_cvc"),
        ("4000000000006975", DeclineCode.LIMIT_EXCEEDED, "card_velocity_exceeded"),
        ("4100000000000019", DeclineCode.SUSPECTED_FRAUD, "fraudulent"),
        ("4242424242424241", DeclineCode.WRONG_NUMBER, "incorrect_number"),
    ],
)
def test_each_published_card_is_declined_for_its_reason(
    contract: Contract, number: str, code: DeclineCode, word: str
) -> None:
    answer = stripe.authorise(contract, peer.authorisation(number))
    assert (answer.outcome, answer.code, answer.provider_code) == (Outcome.DECLINED, code, word)
    assert not done(contract, "authorised", answer.provider_reference)


def test_a_card_of_the_past_is_expired(contract: Contract) -> None:
    answer = stripe.authorise(contract, peer.authorisation(card=peer.card(year=2020)))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.EXPIRED_CARD)


# 3-D Secure


def test_a_payer_who_passes_three_d_secure_comes_back_and_is_approved(contract: Contract) -> None:
    asked = stripe.authorise(contract, peer.authorisation(THREE_DS))
    assert asked.outcome is Outcome.ACTION and asked.action and asked.provider_reference
    assert (asked.action.kind, asked.action.framable) == ("challenge", True)
    with urllib.request.urlopen(asked.action.url) as page:
        assert "X-Frame-Options" not in page.headers and "Set-Cookie" not in page.headers
        assert b"<script" not in page.read()
    back = choose(asked.action.url, "pass")
    assert back.startswith(peer.RETURN_URL + "?") and asked.provider_reference in back
    resume = Resume(asked.provider_reference, dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query)))
    answer = stripe.authorise(contract, peer.authorisation(card=None, resume=resume))
    assert (answer.outcome, answer.last4) == (Outcome.APPROVED, "3155")


def test_a_payer_who_fails_three_d_secure_is_declined(contract: Contract) -> None:
    asked = stripe.authorise(contract, peer.authorisation(THREE_DS))
    assert asked.action and asked.provider_reference
    choose(asked.action.url, "fail")
    answer = stripe.authorise(contract, peer.authorisation(card=None, resume=Resume(asked.provider_reference)))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.AUTHENTICATION_FAILED)


def test_a_payer_who_answers_three_d_secure_twice_pays_once(contract: Contract) -> None:
    asked = stripe.authorise(contract, peer.authorisation(THREE_DS))
    assert asked.action
    choose(asked.action.url, "pass")
    choose(asked.action.url, "pass")
    assert len(done(contract, "authorised", asked.provider_reference)) == 1


def test_a_payer_who_is_still_on_the_way_has_an_action_to_do(contract: Contract) -> None:
    ask = peer.authorisation(THREE_DS)
    asked = stripe.authorise(contract, ask)
    again = stripe.enquire(contract, Enquire("authorise", ask.operation_key, 1999, "EUR", asked.provider_reference))
    assert (again.outcome, again.action) == (Outcome.ACTION, asked.action)


# Tokens


def token_of(contract: Contract, number: str = peer.GOOD) -> str:
    answer = stripe.register(
        contract, Register(peer.key(), "card", "EUR", card=peer.card(number), return_url=peer.RETURN_URL)
    )
    if answer.action and answer.provider_reference:
        choose(answer.action.url, "pass")
        resumed = Register(peer.key(), "card", "EUR", resume=Resume(answer.provider_reference))
        answer = stripe.register(contract, resumed)
    assert answer.outcome is Outcome.APPROVED and answer.token
    return answer.token


def test_a_registered_card_can_be_charged_by_the_merchant(contract: Contract) -> None:
    token = token_of(contract)
    before = len(calls(contract))
    ask = peer.authorisation(card=None, token=token, initiator="merchant", series="following")
    answer = stripe.authorise(contract, ask)
    assert (answer.outcome, answer.last4) == (Outcome.APPROVED, "4242")
    confirmed = calls(contract, before)[-1]["asked"]
    assert confirmed["off_session"] == "recurring" and "return_url" not in confirmed


def test_a_card_registered_with_three_d_secure_is_not_asked_again(contract: Contract) -> None:
    token = token_of(contract, THREE_DS)
    ask = peer.authorisation(card=None, token=token, initiator="merchant", series="unscheduled")
    assert stripe.authorise(contract, ask).outcome is Outcome.APPROVED


def test_a_bank_that_wants_the_payer_declines_the_merchant(contract: Contract) -> None:
    token = token_of(contract, THREE_DS_EVERY_TIME)
    ask = peer.authorisation(card=None, token=token, initiator="merchant", series="following")
    answer = stripe.authorise(contract, ask)
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.AUTHENTICATION_REQUIRED)


def test_a_payment_can_leave_a_token_behind(contract: Contract) -> None:
    first = stripe.authorise(contract, peer.authorisation(store=True))
    assert first.token
    later = peer.authorisation(card=None, token=first.token)
    assert stripe.authorise(contract, later).outcome is Outcome.APPROVED


def test_a_payment_that_was_not_to_be_stored_leaves_no_token(contract: Contract) -> None:
    assert stripe.authorise(contract, peer.authorisation()).token is None


# Captures, refunds, cancelling


def test_a_partial_capture_releases_the_rest_which_is_no_refund(contract: Contract) -> None:
    reference = peer.authorised(contract, "EUR", 5000)
    answer = stripe.capture(contract, Capture(peer.key(), reference, 3000, "EUR", final=True))
    assert (answer.outcome, answer.amount, answer.released) == (Outcome.APPROVED, 3000, 2000)
    assert answer.provider_reference and answer.provider_reference.startswith("ch_")
    about = Enquire("refund", peer.key(), 2000, "EUR", authorisation_reference=reference)
    assert stripe.enquire(contract, about).code is DeclineCode.NEVER_ARRIVED
    assert not done(contract, "refunded", reference)


def test_a_full_capture_releases_nothing(contract: Contract) -> None:
    reference = peer.authorised(contract, "EUR", 5000)
    answer = stripe.capture(contract, Capture(peer.key(), reference, 5000, "EUR", final=True))
    assert (answer.amount, answer.released) == (5000, None)


def test_a_second_capture_is_refused(contract: Contract) -> None:
    reference = peer.authorised(contract, "EUR", 5000)
    stripe.capture(contract, Capture(peer.key(), reference, 3000, "EUR", final=False))
    answer = stripe.capture(contract, Capture(peer.key(), reference, 1000, "EUR", final=False))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.ALREADY_DONE)
    assert len(done(contract, "captured", reference)) == 1


def test_refunds_go_on_until_nothing_is_left(contract: Contract) -> None:
    reference = peer.captured(contract, "EUR", 5000)
    first = stripe.refund(contract, Refund(peer.key(), reference, 2000, "EUR"))
    second = stripe.refund(contract, Refund(peer.key(), reference, 3000, "EUR"))
    third = stripe.refund(contract, Refund(peer.key(), reference, 1, "EUR"))
    assert first.outcome is second.outcome is Outcome.APPROVED
    assert first.provider_reference != second.provider_reference
    assert (third.outcome, third.code) == (Outcome.DECLINED, DeclineCode.ALREADY_DONE)


def test_a_refund_of_more_than_is_left_is_refused(contract: Contract) -> None:
    reference = peer.captured(contract, "EUR", 5000)
    answer = stripe.refund(contract, Refund(peer.key(), reference, 5001, "EUR"))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.AMOUNT_NOT_ALLOWED)


def test_a_refund_that_takes_time_is_pending(contract: Contract) -> None:
    reference = peer.authorised(contract, "EUR", 5000, "4000000000007726")
    stripe.capture(contract, Capture(peer.key(), reference, 5000, "EUR", final=True))
    ask = Refund(peer.key(), reference, 5000, "EUR")
    pending = stripe.refund(contract, ask)
    assert pending.outcome is Outcome.PENDING and pending.provider_reference
    peer.order(contract, refund_ends={"id": pending.provider_reference, "status": "succeeded"})
    about = Enquire("refund", ask.operation_key, 5000, "EUR", pending.provider_reference, reference)
    assert stripe.enquire(contract, about).outcome is Outcome.APPROVED


def test_cancelling_releases_and_cannot_be_followed_by_a_capture(contract: Contract) -> None:
    reference = peer.authorised(contract, "EUR", 5000)
    assert stripe.cancel(contract, Cancel(peer.key(), reference, 5000, "EUR")).outcome is Outcome.APPROVED
    answer = stripe.capture(contract, Capture(peer.key(), reference, 5000, "EUR", final=True))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.ALREADY_DONE)


def test_a_lapsed_authorisation_is_told_by_an_enquiry(contract: Contract) -> None:
    reference = peer.authorised(contract, "EUR", 5000)
    peer.order(contract, expire={"payment_intent": reference})
    about = Enquire("capture", peer.key(), 5000, "EUR", authorisation_reference=reference)
    answer = stripe.enquire(contract, about)
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.EXPIRED)


# Lost answers


def test_an_authorisation_whose_answer_is_lost_is_found_by_its_id(contract: Contract, short_deadline: None) -> None:
    ask = peer.authorisation()
    peer.order(contract, next="timeout_after_success", on="/confirm", seconds=1)
    lost = stripe.authorise(contract, ask)
    assert lost.outcome is Outcome.UNKNOWN and lost.provider_reference
    about = Enquire("authorise", ask.operation_key, ask.amount, "EUR", provider_reference=lost.provider_reference)
    found = stripe.enquire(contract, about)
    assert (found.outcome, found.amount, found.last4) == (Outcome.APPROVED, 1999, "4242")
    assert len(done(contract, "authorised", lost.provider_reference)) == 1


def test_an_authorisation_without_an_id_is_found_by_its_key(contract: Contract, short_deadline: None) -> None:
    ask = peer.authorisation(THREE_DS)
    asked = stripe.authorise(contract, ask)
    before = len(calls(contract))
    found = stripe.enquire(contract, Enquire("authorise", ask.operation_key, ask.amount, "EUR"))
    assert found.provider_reference == asked.provider_reference
    assert found.outcome is Outcome.ACTION
    assert not [call for call in calls(contract, before) if call["path"].endswith("/search")], "the key is enough"


def test_an_authorisation_is_found_when_stripe_has_forgotten_its_key(contract: Contract) -> None:
    ask = peer.authorisation()
    known = stripe.authorise(contract, ask)
    peer.order(contract, forget_keys=True)
    found = stripe.enquire(contract, Enquire("authorise", ask.operation_key, ask.amount, "EUR"))
    assert (found.outcome, found.provider_reference) == (Outcome.APPROVED, known.provider_reference)


def test_what_was_never_confirmed_is_declined_and_can_no_longer_be_confirmed(
    contract: Contract, short_deadline: None
) -> None:
    ask = peer.authorisation()
    peer.order(contract, next="silence", on="/payment_methods", seconds=1)
    lost = stripe.authorise(contract, ask)
    assert lost.outcome is Outcome.UNKNOWN and lost.provider_reference
    about = Enquire("authorise", ask.operation_key, ask.amount, "EUR", provider_reference=lost.provider_reference)
    assert stripe.enquire(contract, about).outcome is Outcome.DECLINED
    late = stripe.authorise(contract, ask)
    assert late.outcome is Outcome.DECLINED
    assert not done(contract, "authorised", lost.provider_reference)


def test_a_request_that_never_arrived_is_declined_by_an_enquiry(contract: Contract) -> None:
    found = stripe.enquire(contract, Enquire("authorise", peer.key(), 1999, "EUR"))
    assert found.outcome is Outcome.DECLINED and found.provider_reference


def test_a_registration_whose_answer_is_lost_is_found_by_its_key(contract: Contract, short_deadline: None) -> None:
    ask = Register(peer.key(), "card", "EUR", card=peer.card(), return_url=peer.RETURN_URL)
    peer.order(contract, next="timeout_after_success", on="/confirm", seconds=1)
    assert stripe.register(contract, ask).outcome is Outcome.UNKNOWN
    found = stripe.enquire(contract, Enquire("register", ask.operation_key, 0, "EUR"))
    assert found.outcome is Outcome.APPROVED and found.token
    never = stripe.enquire(contract, Enquire("register", peer.key(), 0, "EUR"))
    assert never.outcome is Outcome.DECLINED


@pytest.mark.parametrize("verb", ["capture", "refund", "cancel"])
def test_what_stripe_has_never_seen_is_said_so(contract: Contract, short_deadline: None, verb: str) -> None:
    ask = peer.ask(verb, "approve", contract)
    assert isinstance(ask, Capture | Refund | Cancel)
    peer.order(contract, next="silence", on=peer._CALLS[verb], seconds=1)
    assert getattr(stripe, verb)(contract, ask).outcome is Outcome.UNKNOWN
    about = Enquire(verb, ask.operation_key, ask.amount, "EUR", authorisation_reference=ask.provider_reference)
    answer = stripe.enquire(contract, about)
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.NEVER_ARRIVED)


@pytest.mark.parametrize("verb", ["capture", "refund", "cancel"])
def test_a_repeat_under_the_same_key_moves_money_once(contract: Contract, short_deadline: None, verb: str) -> None:
    ask = peer.ask(verb, "approve", contract)
    assert isinstance(ask, Capture | Refund | Cancel)
    peer.order(contract, next="timeout_after_success", on=peer._CALLS[verb], seconds=1)
    assert getattr(stripe, verb)(contract, ask).outcome is Outcome.UNKNOWN
    again = getattr(stripe, verb)(contract, ask)
    assert again.outcome is Outcome.APPROVED
    about = Enquire(verb, ask.operation_key, ask.amount, "EUR", authorisation_reference=ask.provider_reference)
    assert stripe.enquire(contract, about).outcome is Outcome.APPROVED
    did = {"capture": "captured", "refund": "refunded", "cancel": "cancelled"}[verb]
    subject = again.provider_reference if verb == "refund" else ask.provider_reference
    assert len(done(contract, did, subject)) == 1


def test_a_whole_authorisation_repeated_under_its_key_reserves_once(contract: Contract) -> None:
    ask = peer.authorisation()
    first, second = stripe.authorise(contract, ask), stripe.authorise(contract, ask)
    assert first.provider_reference == second.provider_reference
    assert len(done(contract, "authorised", first.provider_reference)) == 1


def test_a_key_used_for_something_else_proves_nothing(contract: Contract) -> None:
    ask = peer.authorisation(amount=1999)
    stripe.authorise(contract, ask)
    assert stripe.authorise(contract, replace(ask, amount=2999)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("verb", ["authorise", "capture", "refund", "cancel"])
def test_what_stripe_cannot_find_may_have_happened_all_the_same(contract: Contract, verb: str) -> None:
    """The key of another account is as good as any, and finds nothing of ours (404 resource_missing)."""
    elsewhere = "pi_of_another_account"
    known = {"provider_reference": elsewhere} if verb == "authorise" else {"authorisation_reference": elsewhere}
    answer = stripe.enquire(contract, Enquire(verb, peer.key(), 500, "EUR", **known))
    assert (answer.outcome, answer.code) == (Outcome.UNKNOWN, None)


@pytest.mark.parametrize("verb", ["register", "authorise", "capture", "refund", "cancel", "enquire"])
@pytest.mark.parametrize("trouble", ["down", "rate_limit", "busy", "silence"])
def test_a_provider_in_trouble_leaves_the_outcome_open(
    contract: Contract, short_deadline: None, verb: str, trouble: str
) -> None:
    ask = peer.ask(verb, "approve", contract)
    peer.order(contract, next=trouble, on=peer._CALLS[verb], seconds=1)
    assert getattr(stripe, verb)(contract, ask).outcome is Outcome.UNKNOWN


def test_nothing_sent_is_said_by_not_sent() -> None:
    nobody = peer.contract(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(NotSent):
        stripe.authorise(nobody, peer.authorisation())


def test_a_wrong_key_is_our_own_fault(contract: Contract) -> None:
    wrong = peer.contract(contract.settings["url"], secret_key="sk_test_of_someone_else")
    answer = stripe.authorise(wrong, peer.authorisation())
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.CONFIGURATION)


@pytest.mark.parametrize(
    ("status", "error", "outcome", "code"),
    [
        (400, {"type": "invalid_request_error", "code": "lock_timeout"}, Outcome.UNKNOWN, None),
        (400, {"type": "idempotency_error"}, Outcome.UNKNOWN, None),
        (400, {"type": "api_error"}, Outcome.UNKNOWN, None),
        (400, {}, Outcome.UNKNOWN, None),
        (402, {"type": "card_error", "decline_code": "moonstruck"}, Outcome.DECLINED, DeclineCode.PROVIDER_DECLINED),
        (404, {"type": "invalid_request_error", "code": "resource_missing"}, Outcome.DECLINED, "configuration"),
        (400, {"type": "invalid_request_error", "code": "charge_expired_for_capture"}, Outcome.DECLINED, "expired"),
        (403, {"type": "invalid_request_error"}, Outcome.DECLINED, DeclineCode.CONFIGURATION),
        (424, {"type": "invalid_request_error", "code": "card_declined"}, Outcome.UNKNOWN, None),
        (500, {"type": "card_error", "code": "card_declined"}, Outcome.UNKNOWN, None),
        (200, {"type": "card_error", "code": "card_declined"}, Outcome.UNKNOWN, None),
    ],
)
def test_only_an_error_that_is_a_no_is_a_no(status: int, error: dict, outcome: Outcome, code: str | None) -> None:
    app = Flask("answering")
    app.add_url_rule("/<path:path>", "all", lambda path: ({"error": error}, status), methods=["GET", "POST"])
    with served(app) as url:
        answer = stripe.capture(peer.contract(url), Capture(peer.key(), "pi_1", 1999, "EUR", final=True))
    assert (answer.outcome, answer.code) == (outcome, code)


def test_all_calls_of_a_verb_together_keep_one_deadline(short_deadline: None) -> None:
    slow, asked, never = Flask("slow"), [], threading.Event()

    @slow.post("/<path:path>")
    def answer(path: str) -> dict:
        asked.append(path)
        never.wait(0.3 if len(asked) == 1 else 4)
        return {"id": "pi_slow", "object": "payment_intent", "status": "requires_confirmation"}

    with served(slow) as url:
        started = time.monotonic()
        answer = stripe.authorise(peer.contract(url), peer.authorisation())
        assert time.monotonic() - started < 2
    assert (answer.outcome, answer.provider_reference) == (Outcome.UNKNOWN, "pi_slow")
    assert asked == ["v1/payment_intents", "v1/payment_methods"]


# Amounts


@pytest.mark.parametrize(
    ("amount", "currency", "wire"),
    [
        (1999, "EUR", 1999),
        (1999, "JPY", 1999),
        (12_340, "KWD", 12_340),
        (5, "ISK", 500),
        (5, "UGX", 500),
        (1999, "HUF", 1999),
        (1999, "TWD", 1999),
    ],
)
def test_amounts_are_written_as_stripe_counts_them(contract: Contract, amount: int, currency: str, wire: int) -> None:
    ask = peer.authorisation(amount=amount, currency=currency)
    answer = stripe.authorise(contract, ask)
    assert peer.wire_amounts(contract)[-1] == wire
    assert (answer.outcome, answer.amount) == (Outcome.APPROVED, amount)
    assert answer.provider_reference
    taken = stripe.capture(contract, Capture(peer.key(), answer.provider_reference, amount, currency, final=True))
    assert peer.wire_amounts(contract)[-1] == wire
    assert taken.amount == amount


def test_a_third_decimal_that_stripe_cannot_take_is_refused_before_anything_is_sent(contract: Contract) -> None:
    before = len(calls(contract))
    answer = stripe.authorise(contract, peer.authorisation(amount=5124, currency="KWD"))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.AMOUNT_NOT_ALLOWED)
    assert not calls(contract, before)


# Secrets


def test_the_stand_in_keeps_no_card(contract: Contract, tmp_path) -> None:
    app = Flask("own")
    import sandbox.stripe

    sandbox.stripe.attach(app, tmp_path)
    with served(app) as url:
        own = peer.contract(url + "/stripe", secret_key="sk_test_nobody_writes_down")
        assert stripe.authorise(own, peer.authorisation()).outcome is Outcome.APPROVED
    kept = (tmp_path / "stripe.jsonl").read_text()
    assert '"did":"authorised"' in kept
    for secret in (peer.GOOD, f'"{peer.SECURITY_CODE}"', "sk_test_nobody_writes_down", peer.WEBHOOK_SECRET):
        assert secret not in kept


def test_a_provider_that_repeats_the_card_does_not_get_it_into_our_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parrot = Flask("parrot")

    @parrot.post("/v1/payment_intents")
    def create() -> dict:
        return {"id": "pi_parrot", "object": "payment_intent", "status": "requires_payment_method"}

    @parrot.post("/v1/payment_methods")
    def repeat() -> tuple[dict, int]:
        spaced = re.sub(r"(\d{4})(?=\d)", r"\1 ", request.form["card[number]"])
        said = f"{request.form['card[number]']} or {spaced} with {request.form['card[cvc]']}"
        error = {"type": "card_error", "code": said, "decline_code": said, "message": said}
        return {"error": error}, 402

    with served(parrot) as url:
        answer = stripe.authorise(peer.contract(url), peer.authorisation())
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.PROVIDER_DECLINED)
    seen = repr(answer) + "".join(capsys.readouterr())
    assert "provider_word_unknown" in seen
    for secret in (peer.GOOD, "4242 4242", peer.SECURITY_CODE, peer.SECRET_KEY):
        assert secret not in seen


def test_tokens_are_not_shown_by_repr(contract: Contract) -> None:
    answer = stripe.authorise(contract, peer.authorisation(store=True))
    assert answer.token and answer.token not in repr(answer)
    assert peer.GOOD not in repr(Authorise("op", "card", 1, "EUR", "", card=peer.card()))


def test_a_restart_of_the_stand_in_forgets_nothing(tmp_path) -> None:
    import sandbox.stripe

    references = []
    for _ in range(2):
        app = Flask("own")
        sandbox.stripe.attach(app, tmp_path)
        with served(app) as url:
            own = peer.contract(url + "/stripe")
            if not references:
                references.append(peer.authorised(own, "EUR", 1999))
            else:
                about = Enquire("authorise", "op", 1999, "EUR", provider_reference=references[0])
                assert stripe.enquire(own, about).outcome is Outcome.APPROVED
