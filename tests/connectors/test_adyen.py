"""Adyen, against the stand-in of `sandbox/adyen`."""

import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask, request

import sandbox.adyen
from app.config import settings
from app.connectors import adyen
from app.connectors.kinds import (
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
from app.core.ids import public_id
from tests.connectors.peers import adyen as peer
from tests.connectors.peers._serving import free_port, get_json, served


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


def done(contract: Contract, what: str, key: str) -> list[dict]:
    """What the stand-in really did for an operation, by its own journal."""
    did = get_json(peer.control(contract) + "/did")
    return [one for one in did if one["did"] == what and one["operation_key"] == key]


def last_call(contract: Contract) -> dict:
    return get_json(peer.control(contract) + "/received")[-1]["asked"]


def choose(url: str, choice: str) -> dict[str, str]:
    """Answers the 3-D Secure page. -> what the payer brings back."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    form = urllib.parse.urlencode({"choice": choice}).encode()
    try:
        urllib.request.build_opener(Stay).open(url, form)
    except urllib.error.HTTPError as answer:
        assert answer.code == 303 and answer.headers["Location"].startswith(peer.RETURN_URL + "&")
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["Location"]).query))
    raise AssertionError("no redirect")


# Authorising


def test_an_authorisation_is_approved_with_what_is_known_of_the_card(contract: Contract) -> None:
    ask = peer.authorisation(amount=1999)
    answer = adyen.authorise(contract, ask)
    assert answer.outcome is Outcome.APPROVED and len(answer.provider_reference or "") == 16
    assert (answer.amount, answer.token) == (1999, None)
    assert (answer.brand, answer.last4, answer.funding, answer.issuer_country) == ("mastercard", "1115", "credit", "DE")
    assert answer.scheme_transaction_id
    assert len(done(contract, "authorised", ask.operation_key)) == 1


def test_the_request_is_as_adyen_documents_it(contract: Contract) -> None:
    ask = peer.authorisation(amount=1999)
    adyen.authorise(contract, ask)
    sent = last_call(contract)
    assert sent["merchantAccount"] == peer.ACCOUNT
    assert sent["amount"] == {"value": 1999, "currency": "EUR"}
    assert (sent["reference"], sent["merchantOrderReference"]) == (ask.operation_key, "order 1")
    method = {"type": "scheme", "number": "…", "expiryMonth": "03", "expiryYear": "2039", "cvc": "…"}
    assert sent["paymentMethod"] == {**method, "holderName": "Erika Mustermann"}
    assert sent["additionalData"] == {"manualCapture": "true"}
    assert (sent["channel"], sent["origin"], sent["returnUrl"]) == ("Web", "https://shop.example", peer.RETURN_URL)
    assert sent["authenticationData"] == {"threeDSRequestData": {"nativeThreeDS": "disabled"}}
    assert sent["browserInfo"]["userAgent"] == "Mozilla/5.0 (X11)"
    assert (sent["shopperIP"], sent["shopperEmail"], sent["shopperLocale"]) == (
        "192.0.2.1",
        "erika@example.org",
        "de-DE",
    )
    assert "storePaymentMethod" not in sent and "recurringProcessingModel" not in sent


@pytest.mark.parametrize(
    ("holder", "code", "word"),
    [
        ("DECLINED", DeclineCode.DO_NOT_HONOUR, "2"),
        ("ERROR", DeclineCode.PROVIDER_DECLINED, "4"),
        ("BLOCK_CARD", DeclineCode.LOST_OR_STOLEN, "5"),
        ("CARD_EXPIRED", DeclineCode.EXPIRED_CARD, "6"),
        ("INVALID_CARD", DeclineCode.WRONG_NUMBER, "8"),
        ("NOT_ENOUGH_BALANCE", DeclineCode.INSUFFICIENT_FUNDS, "12"),
        ("ACQUIRER_FRAUD", DeclineCode.SUSPECTED_FRAUD, "14"),
        ("CVC_DECLINED", DeclineCode.WRONG_SECURITY_CODE, "24"),
        ("RESTRICTED_CARD", DeclineCode.NOT_PERMITTED, "25"),
        ("REVOCATION_OF_AUTH", DeclineCode.NEVER_AGAIN, "26"),
        ("AUTHENTICATION_REQUIRED : 1A", DeclineCode.AUTHENTICATION_REQUIRED, "38"),
    ],
)
def test_each_published_holder_name_is_declined_for_its_reason(
    contract: Contract, holder: str, code: DeclineCode, word: str
) -> None:
    ask = peer.authorisation(card=peer.card(holder=holder))
    answer = adyen.authorise(contract, ask)
    assert (answer.outcome, answer.code, answer.provider_code) == (Outcome.DECLINED, code, word)
    assert not done(contract, "authorised", ask.operation_key)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        (peer.card("5555341244441116"), DeclineCode.WRONG_NUMBER),
        (peer.card(year=2020), DeclineCode.EXPIRED_CARD),
        (peer.card(code="111"), DeclineCode.WRONG_SECURITY_CODE),
    ],
)
def test_a_card_that_cannot_be_right_is_declined(contract: Contract, card, code: DeclineCode) -> None:
    answer = adyen.authorise(contract, peer.authorisation(card=card))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, code)


# 3-D Secure


def test_a_payer_who_passes_three_d_secure_comes_back_and_is_approved(contract: Contract) -> None:
    ask = peer.authorisation(peer.THREE_DS)
    asked = adyen.authorise(contract, ask)
    assert asked.outcome is Outcome.ACTION and asked.action
    assert (asked.action.method, asked.action.kind) == ("GET", "redirect")
    with urllib.request.urlopen(asked.action.url) as page:
        assert "X-Frame-Options" not in page.headers and "Set-Cookie" not in page.headers
    assert not done(contract, "authorised", ask.operation_key)
    resume = Resume(asked.provider_reference or "", choose(asked.action.url, "pass"))
    back = replace(ask, card=None, resume=resume)
    answer = adyen.authorise(contract, back)
    assert (answer.outcome, answer.last4) == (Outcome.APPROVED, "1237")
    assert answer.provider_reference != asked.provider_reference, "the payment has its final reference only now"
    assert adyen.authorise(contract, back) == answer, "a reload of the page changes nothing"
    assert len(done(contract, "authorised", ask.operation_key)) == 1


def test_a_payer_who_fails_three_d_secure_is_declined(contract: Contract) -> None:
    ask = peer.authorisation(peer.THREE_DS)
    asked = adyen.authorise(contract, ask)
    assert asked.action
    resume = Resume(asked.provider_reference or "", choose(asked.action.url, "fail"))
    answer = adyen.authorise(contract, replace(ask, card=None, resume=resume))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.AUTHENTICATION_FAILED)


def test_a_payer_who_comes_back_without_a_result_proves_nothing(contract: Contract) -> None:
    ask = peer.authorisation(peer.THREE_DS)
    asked = adyen.authorise(contract, ask)
    resume = Resume(asked.provider_reference or "", {"order": "1"})
    answer = adyen.authorise(contract, replace(ask, card=None, resume=resume))
    assert (answer.outcome, answer.provider_reference) == (Outcome.UNKNOWN, asked.provider_reference)


def test_an_action_that_must_be_posted_carries_its_fields() -> None:
    said = {"type": "redirect", "url": "https://acs.example/", "method": "POST", "data": {"MD": "m", "PaReq": "p"}}
    with answering({"resultCode": "RedirectShopper", "action": said}) as contract:
        answer = adyen.authorise(contract, peer.authorisation())
    assert answer.action and (answer.action.method, dict(answer.action.fields)) == ("POST", {"MD": "m", "PaReq": "p"})


# What the stand-in never says


def answering(body: dict, status: int = 200):
    """A provider that gives one answer to everything."""
    app = Flask("answering")
    app.add_url_rule("/<path:path>", "all", lambda path: (body, status), methods=["GET", "POST"])

    class Opened:
        def __enter__(self) -> Contract:
            self._server = served(app)
            return peer.contract(self._server.__enter__())

        def __exit__(self, *error: object) -> None:
            self._server.__exit__(None, None, None)

    return Opened()


@pytest.mark.parametrize(
    ("body", "outcome", "code"),
    [
        ({"resultCode": "Pending", "pspReference": "P"}, Outcome.PENDING, None),
        ({"resultCode": "Received", "pspReference": "P"}, Outcome.PENDING, None),
        ({"resultCode": "Cancelled"}, Outcome.DECLINED, DeclineCode.PAYER_CANCELLED),
        ({"resultCode": "Refused", "refusalReasonCode": "999"}, Outcome.DECLINED, DeclineCode.PROVIDER_DECLINED),
        ({"resultCode": "Error", "refusalReasonCode": "999"}, Outcome.UNKNOWN, None),
        ({"resultCode": "Error"}, Outcome.UNKNOWN, None),
        ({"resultCode": "IdentifyShopper", "action": {"type": "threeDS2"}}, Outcome.UNKNOWN, None),
        ({"resultCode": "RedirectShopper", "action": {"type": "threeDS2"}}, Outcome.UNKNOWN, None),
        (
            {"resultCode": "RedirectShopper", "action": {"type": "redirect", "url": "javascript:x"}},
            Outcome.UNKNOWN,
            None,
        ),
        ({"resultCode": ["Authorised"]}, Outcome.UNKNOWN, None),
        ({}, Outcome.UNKNOWN, None),
    ],
)
def test_only_a_clear_word_is_an_answer(body: dict, outcome: Outcome, code: DeclineCode | None) -> None:
    with answering(body) as contract:
        answer = adyen.authorise(contract, peer.authorisation())
    assert (answer.outcome, answer.code) == (outcome, code)


@pytest.mark.parametrize(
    ("status", "error", "outcome", "code"),
    [
        (401, ("000", "security"), Outcome.DECLINED, DeclineCode.CONFIGURATION),
        (403, ("901", "security"), Outcome.DECLINED, DeclineCode.CONFIGURATION),
        (500, ("905", "configuration"), Outcome.DECLINED, DeclineCode.CONFIGURATION),
        (422, ("138", "validation"), Outcome.DECLINED, DeclineCode.CURRENCY_NOT_SUPPORTED),
        (422, ("14_777", "validation"), Outcome.DECLINED, DeclineCode.PROVIDER_DECLINED),
        (422, ("704", "validation"), Outcome.UNKNOWN, None),
        (422, ("999", "internal"), Outcome.UNKNOWN, None),
        (500, ("14_777", "validation"), Outcome.UNKNOWN, None),
        (500, ("000", None), Outcome.DECLINED, DeclineCode.CONFIGURATION),
        (404, (None, None), Outcome.UNKNOWN, None),
        (200, ("999", "internal"), Outcome.UNKNOWN, None),
    ],
)
def test_only_an_error_that_is_a_no_is_a_no(
    status: int, error: tuple[str | None, str | None], outcome: Outcome, code: DeclineCode | None
) -> None:
    with answering({"errorCode": error[0], "errorType": error[1], "message": "said"}, status) as contract:
        answer = adyen.capture(contract, Capture(peer.key(), "PSP", 1999, "EUR", final=True))
    assert (answer.outcome, answer.code) == (outcome, code)


def test_an_approval_of_less_says_how_much() -> None:
    body = {"resultCode": "PartiallyAuthorised", "pspReference": "P", "amount": {"value": 500, "currency": "EUR"}}
    with answering(body) as contract:
        answer = adyen.authorise(contract, peer.authorisation(amount=1999))
    assert (answer.outcome, answer.amount) == (Outcome.APPROVED, 500)


# Tokens


def token_of(contract: Contract, number: str = peer.GOOD) -> str:
    ask = Register(peer.key(), "card", "EUR", card=peer.card(number), return_url=peer.RETURN_URL)
    answer = adyen.register(contract, ask)
    if answer.action:
        resume = Resume(answer.provider_reference or "", choose(answer.action.url, "pass"))
        answer = adyen.register(contract, replace(ask, card=None, resume=resume))
    assert answer.outcome is Outcome.APPROVED and answer.token
    return answer.token


def test_registering_costs_nothing(contract: Contract) -> None:
    ask = Register(peer.key(), "card", "EUR", card=peer.card(), return_url=peer.RETURN_URL)
    assert adyen.register(contract, ask).outcome is Outcome.APPROVED
    sent = last_call(contract)
    assert sent["amount"] == {"value": 0, "currency": "EUR"} and sent["storePaymentMethod"] is True
    assert not done(contract, "authorised", ask.operation_key)


@pytest.mark.parametrize("number", [peer.GOOD, peer.THREE_DS])
@pytest.mark.parametrize(("series", "model"), [("following", "Subscription"), ("unscheduled", "UnscheduledCardOnFile")])
def test_a_registered_card_can_be_charged_by_the_merchant(contract: Contract, number: str, series, model: str) -> None:
    token = token_of(contract, number)
    ask = peer.authorisation(card=None, token=token, initiator="merchant", series=series, return_url="")
    answer = adyen.authorise(contract, ask)
    assert (answer.outcome, answer.last4) == (Outcome.APPROVED, number[-4:])
    sent = last_call(contract)
    assert (sent["shopperInteraction"], sent["recurringProcessingModel"]) == ("ContAuth", model)
    assert sent["shopperReference"] == token.partition(":")[0] and "browserInfo" not in sent


def test_a_returning_payer_uses_the_token_with_one_click(contract: Contract) -> None:
    answer = adyen.authorise(contract, peer.authorisation(card=None, token=token_of(contract)))
    assert answer.outcome is Outcome.APPROVED
    assert last_call(contract)["recurringProcessingModel"] == "CardOnFile"


def test_a_payment_can_leave_a_token_behind(contract: Contract) -> None:
    first = adyen.authorise(contract, peer.authorisation(series="first"))
    sent = last_call(contract)
    assert (sent["recurringProcessingModel"], sent["storePaymentMethod"]) == ("Subscription", True)
    assert first.token
    later = peer.authorisation(card=None, token=first.token, initiator="merchant", series="following")
    assert adyen.authorise(contract, later).outcome is Outcome.APPROVED


def test_a_token_that_comes_later_is_fetched(contract: Contract) -> None:
    peer.order(contract, tokens_later=True)
    try:
        assert token_of(contract)
        assert adyen.authorise(contract, peer.authorisation(store=True)).token
    finally:
        peer.order(contract, tokens_later=False)


def test_a_payment_whose_token_cannot_be_fetched_is_still_approved(contract: Contract) -> None:
    peer.order(contract, tokens_later=True)
    try:
        peer.order(contract, next="down", on="/storedPaymentMethods")
        answer = adyen.authorise(contract, peer.authorisation(store=True))
    finally:
        peer.order(contract, tokens_later=False)
    assert (answer.outcome, answer.token) == (Outcome.APPROVED, None)


def test_a_token_that_is_gone_is_declined(contract: Contract) -> None:
    answer = adyen.authorise(contract, peer.authorisation(card=None, token="nobody:NOTATOKEN0000000"))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.ACCOUNT_CLOSED)


# Captures, refunds, cancelling


@pytest.mark.parametrize("verb", ["capture", "refund", "cancel"])
def test_a_modification_is_pending_under_a_reference_of_its_own(contract: Contract, verb: str) -> None:
    ask = peer.ask(verb, "approve", contract)
    assert isinstance(ask, Capture | Refund | Cancel)
    answer = getattr(adyen, verb)(contract, ask)
    assert answer.outcome is Outcome.PENDING
    assert answer.provider_reference not in (None, ask.provider_reference)
    assert last_call(contract)["reference"] == f"{verb}.{ask.operation_key}"


def test_captures_and_refunds_may_be_many(contract: Contract) -> None:
    reference = peer.authorised(contract, amount=5000)
    for amount in (2000, 3000):
        ask = Capture(peer.key(), reference, amount, "EUR", final=False)
        adyen.capture(contract, ask)
        assert done(contract, "captured", f"capture.{ask.operation_key}")[0]["amount"] == amount
    for amount in (1000, 4000):
        ask = Refund(peer.key(), reference, amount, "EUR")
        adyen.refund(contract, ask)
        assert done(contract, "refunded", f"refund.{ask.operation_key}")[0]["amount"] == amount


# Lost answers


@pytest.mark.parametrize("verb", ["capture", "refund", "cancel"])
def test_a_repeat_under_the_same_key_moves_money_once(contract: Contract, short_deadline: None, verb: str) -> None:
    ask = peer.ask(verb, "approve", contract)
    assert isinstance(ask, Capture | Refund | Cancel)
    peer.order(contract, next="timeout_after_success", on=peer._CALLS[verb], seconds=1)
    assert getattr(adyen, verb)(contract, ask).outcome is Outcome.UNKNOWN
    first, again = getattr(adyen, verb)(contract, ask), getattr(adyen, verb)(contract, ask)
    assert first == again and first.outcome is Outcome.PENDING
    did = {"capture": "captured", "refund": "refunded", "cancel": "cancelled"}[verb]
    assert len(done(contract, did, f"{verb}.{ask.operation_key}")) == 1


def test_a_charge_of_a_token_is_repeated_under_its_key_and_reserves_once(
    contract: Contract, short_deadline: None
) -> None:
    ask = peer.authorisation(card=None, token=token_of(contract), initiator="merchant", series="following")
    peer.order(contract, next="timeout_after_success", on="/payments", seconds=1)
    assert adyen.authorise(contract, ask).outcome is Outcome.UNKNOWN
    assert adyen.authorise(contract, ask).outcome is Outcome.APPROVED
    assert len(done(contract, "authorised", ask.operation_key)) == 1


def test_a_lost_return_of_the_payer_is_repeated_and_reserves_once(contract: Contract, short_deadline: None) -> None:
    ask = peer.authorisation(peer.THREE_DS)
    asked = adyen.authorise(contract, ask)
    assert asked.action
    back = replace(ask, card=None, resume=Resume("", choose(asked.action.url, "pass")))
    peer.order(contract, next="timeout_after_success", on="/details", seconds=1)
    assert adyen.authorise(contract, back).outcome is Outcome.UNKNOWN
    assert adyen.authorise(contract, back).outcome is Outcome.APPROVED
    assert len(done(contract, "authorised", ask.operation_key)) == 1


def test_a_registration_whose_answer_is_lost_is_found_by_its_key(contract: Contract, short_deadline: None) -> None:
    ask = Register(peer.key(), "card", "EUR", card=peer.card(), return_url=peer.RETURN_URL)
    peer.order(contract, next="timeout_after_success", on="/payments", seconds=1)
    assert adyen.register(contract, ask).outcome is Outcome.UNKNOWN
    found = adyen.enquire(contract, Enquire("register", ask.operation_key, 0, "EUR"))
    assert found.outcome is Outcome.APPROVED and found.token
    assert adyen.enquire(contract, Enquire("register", peer.key(), 0, "EUR")).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("verb", ["authorise", "capture", "refund", "cancel"])
def test_adyen_cannot_be_asked_about_what_it_has_received(verb) -> None:
    nobody = peer.contract(f"http://127.0.0.1:{free_port()}")
    answer = adyen.enquire(nobody, Enquire(verb, peer.key(), 1999, "EUR", "PSP", authorisation_reference="PAYMENT"))
    assert (answer.outcome, answer.provider_reference) == (Outcome.UNKNOWN, "PSP")


@pytest.mark.parametrize("trouble", ["timeout_after_success", "silence"])
@pytest.mark.parametrize("verb", ["capture", "refund", "cancel"])
def test_a_modification_of_which_nothing_was_heard_is_sent_again(
    contract: Contract, short_deadline: None, verb, trouble: str
) -> None:
    ask = peer.ask(verb, "approve", contract)
    assert isinstance(ask, Capture | Refund | Cancel)
    peer.order(contract, next=trouble, on=peer._CALLS[verb], seconds=1)
    assert getattr(adyen, verb)(contract, ask).outcome is Outcome.UNKNOWN
    about = Enquire(verb, ask.operation_key, ask.amount, "EUR", authorisation_reference=ask.provider_reference)
    answer = adyen.enquire(contract, about)
    assert answer.outcome is Outcome.PENDING and answer.provider_reference
    assert getattr(adyen, verb)(contract, ask) == answer, "the request is the same to the letter"
    did = {"capture": "captured", "refund": "refunded", "cancel": "cancelled"}[verb]
    assert len(done(contract, did, f"{verb}.{ask.operation_key}")) == 1


@pytest.mark.parametrize("key", [public_id("op", UUID(int=0x018F << 112)), "op_of_unknown_age"])
def test_what_is_older_than_a_day_is_not_sent_again(key: str) -> None:
    nobody = peer.contract(f"http://127.0.0.1:{free_port()}")
    about = Enquire("refund", key, 1999, "EUR", authorisation_reference="PAYMENT")
    assert adyen.enquire(nobody, about).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("verb", ["register", "authorise", "capture", "refund", "cancel", "enquire"])
@pytest.mark.parametrize("trouble", ["down", "rate_limit", "busy", "silence"])
def test_a_provider_in_trouble_leaves_the_outcome_open(
    contract: Contract, short_deadline: None, verb: str, trouble: str
) -> None:
    ask = peer.ask(verb, "approve", contract)
    peer.order(contract, next=trouble, on=peer._CALLS[verb], seconds=1)
    assert getattr(adyen, verb)(contract, ask).outcome is Outcome.UNKNOWN


def test_nothing_sent_is_said_by_not_sent() -> None:
    nobody = peer.contract(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(NotSent):
        adyen.authorise(nobody, peer.authorisation())


def test_a_wrong_key_is_our_own_fault(contract: Contract) -> None:
    wrong = peer.contract(contract.settings["url"], api_key="someone-else")
    answer = adyen.authorise(wrong, peer.authorisation())
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.CONFIGURATION)


def test_a_long_operation_key_is_shortened_to_what_adyen_takes(contract: Contract) -> None:
    ask = Refund("k" * 70, peer.captured(contract), 1999, "EUR")
    assert adyen.refund(contract, ask).outcome is Outcome.PENDING
    assert adyen.refund(contract, ask).outcome is Outcome.PENDING
    assert len(done(contract, "refunded", f"refund.{ask.operation_key}")) == 1


# Amounts


@pytest.mark.parametrize(
    ("amount", "currency", "wire"),
    [
        (1999, "EUR", 1999),
        (1999, "JPY", 1999),
        (5124, "KWD", 5124),
        (5, "ISK", 500),
        (5, "CLP", 500),
        (1500, "IDR", 15),
        (1500, "CVE", 15),
    ],
)
def test_amounts_are_written_as_adyen_counts_them(contract: Contract, amount: int, currency: str, wire: int) -> None:
    answer = adyen.authorise(contract, peer.authorisation(amount=amount, currency=currency))
    assert peer.wire_amounts(contract)[-1] == wire
    assert (answer.outcome, answer.amount) == (Outcome.APPROVED, amount)
    adyen.capture(contract, Capture(peer.key(), answer.provider_reference or "", amount, currency, final=True))
    assert peer.wire_amounts(contract)[-1] == wire


def test_decimals_that_adyen_does_not_count_are_refused_before_anything_is_sent() -> None:
    nobody = peer.contract(f"http://127.0.0.1:{free_port()}")
    answer = adyen.authorise(nobody, peer.authorisation(amount=1550, currency="IDR"))
    assert (answer.outcome, answer.code) == (Outcome.DECLINED, DeclineCode.AMOUNT_NOT_ALLOWED)


# Secrets


def test_the_stand_in_keeps_no_card_and_forgets_nothing_else(tmp_path) -> None:
    for turn in range(2):
        app = Flask("own")
        sandbox.adyen.attach(app, tmp_path, api_key="the-api-key-nobody-writes-down")
        with served(app) as url:
            own = peer.contract(url + "/adyen/v72", api_key="the-api-key-nobody-writes-down")
            if turn == 0:
                reference = peer.authorised(own)
            else:
                capture = Capture(peer.key(), reference, 1999, "EUR", final=True)
                assert adyen.capture(own, capture).outcome is Outcome.PENDING
    kept = (tmp_path / "adyen.jsonl").read_text()
    assert '"did":"authorised"' in kept and '"did":"captured"' in kept
    for secret in (peer.GOOD, f'"{peer.SECURITY_CODE}"', "the-api-key-nobody-writes-down", peer.HMAC_KEY):
        assert secret not in kept


def test_a_provider_that_repeats_the_card_does_not_get_it_into_our_answer(capsys: pytest.CaptureFixture[str]) -> None:
    parrot = Flask("parrot")

    @parrot.post("/payments")
    def repeat() -> tuple[dict, int]:
        method = request.json["paymentMethod"]
        said = f"{method['number']} {method['cvc']}"
        return {"errorCode": said, "errorType": "validation", "message": said}, 422

    with served(parrot) as url:
        answer = adyen.authorise(peer.contract(url), peer.authorisation())
    assert answer.outcome is Outcome.DECLINED
    seen = repr(answer) + "".join(capsys.readouterr())
    assert "provider_word_unknown" in seen
    for secret in (peer.GOOD, peer.SECURITY_CODE, peer.API_KEY):
        assert secret not in seen
