"""Adyen's notifications: signatures with Adyen's published examples, golden messages, and what the stand-in sends."""

import base64
import copy
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.connectors import adyen
from app.connectors._adyen_news import signature
from app.connectors.kinds import Cancel, Capture, Contract, News, NewsRefused, Outcome, Refund
from tests.connectors.peers import adyen as peer
from tests.connectors.peers._serving import Caught, catcher

GOLDEN = sorted((Path(__file__).parent / "golden" / "adyen").glob("*.json"))
CONTRACT = peer.contract("http://127.0.0.1:1")
LOGIN = "Basic " + base64.b64encode(f"zahlwerk:{peer.NEWS_PASSWORD}".encode()).decode()


def signed(message: dict[str, Any], key: str = peer.HMAC_KEY) -> dict[str, Any]:
    """An independent reading of Adyen's rule."""
    message = copy.deepcopy(message)
    for wrapper in message["notificationItems"]:
        item = wrapper["NotificationRequestItem"]
        text = (
            f"{item['pspReference']}:{item.get('originalReference', '')}:{item['merchantAccountCode']}:"
            f"{item['merchantReference']}:{item['amount']['value']}:{item['amount']['currency']}:"
            f"{item['eventCode']}:{item['success']}"
        )
        digest = hmac.digest(bytes.fromhex(key), text.encode(), hashlib.sha256)
        item["additionalData"]["hmacSignature"] = base64.b64encode(digest).decode()
    return message


def read(message: dict[str, Any], contract: Contract = CONTRACT) -> list[News]:
    return adyen.read_news(contract, {"authorization": LOGIN}, json.dumps(message).encode())


def plain(news: News) -> dict[str, Any]:
    """What a fact says, without what it leaves open and without when it happened."""
    given = {name: value for name, value in dataclasses.asdict(news).items() if not (value is None or value is False)}
    assert given.pop("occurred_at", None), "every fact of Adyen's has a time"
    if "dispute" in given:
        given["dispute"] = {name: value for name, value in given["dispute"].items() if value is not None}
    return json.loads(json.dumps(given, default=lambda value: value.isoformat()))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_message_is_read_as_written_beside_it(path: Path) -> None:
    golden = json.loads(path.read_text())
    assert [plain(news) for news in read(signed(golden["message"]))] == golden["read"]


def test_there_are_golden_messages() -> None:
    assert len(GOLDEN) > 30


# Signatures

# Published with Adyen's own libraries (adyen-python-api-library, test/UtilTest.py and test/mocks/util;
# adyen-node-api-library, hmacValidator.spec.ts and __mocks__/notification): key, values in signing order, signature.
_PYTHON = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174"
_NODE = "DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00"
PUBLISHED = [
    (
        peer.HMAC_KEY,
        ("7914073381342284", None, "TestMerchant", "TestPayment-1407325143704", 1130, "EUR", "AUTHORISATION", "true"),
        "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=",
    ),
    (
        _NODE,
        ("pspReference", "originalReference", "merchantAccount", "reference", 1000, "EUR", "REPORT_AVAILABLE", "true"),
        "ZNBPtI+oDyyRrLyD1XirkKnQgIAlFc07Vj27TeHsDRE=",
    ),
    (
        _PYTHON,
        ("T7FD4VM4D3RZNN82", None, "AntoniStroinski", "\\\\slashes are fun", 1000, "EUR", "AUTHORISATION", "true"),
        "nIgT81gaB5oJpn2jPXupDq68iRo2wUlBsuYjtYfwKqo=",
    ),
    (
        _PYTHON,
        ("M8NB66SBZSGLNK82", None, "AntoniStroinski", ":slashes are fun", 1000, "EUR", "AUTHORISATION", "true"),
        "2EQYm7YJpKO4EtHSPu55SQTyWf8dkW5u2nD1tJFpViA=",
    ),
    (
        _PYTHON,
        ("X3GWNS6KJ8NKGK82", None, "AntoniStroinski", "//slashes are fun", 1000, "EUR", "AUTHORISATION", "true"),
        "9Z0xdpG9Xi3zcmXv14t/BvMBut77O/Xq9D4CQXSDUi4=",
    ),
    (
        _PYTHON,
        ("ZVWN7D3WSMK2WN82", None, "AntoniStroinski", "\\:/\\/slashes are fun", 1000, "EUR", "AUTHORISATION", "true"),
        "CZErGCNQaSsxbaQfZaJlakqo7KPP+mIa8a+wx3yNs9A=",
    ),
]


def as_item(values: tuple) -> dict[str, Any]:
    psp, original, account, reference, value, currency, event, success = values
    item = {"pspReference": psp, "merchantAccountCode": account, "merchantReference": reference}
    item |= {"amount": {"value": value, "currency": currency}, "eventCode": event, "success": success}
    return item if original is None else {**item, "originalReference": original}


@pytest.mark.parametrize(("key", "values", "expected"), PUBLISHED, ids=[str(case[1][3]) for case in PUBLISHED])
def test_the_signature_is_the_one_that_adyen_published(key: str, values: tuple, expected: str) -> None:
    assert signature(as_item(values), bytes.fromhex(key)) == expected


def test_a_published_notification_is_accepted() -> None:
    key, values, expected = PUBLISHED[0]
    item = {**as_item(values), "additionalData": {"hmacSignature": expected}, "eventDate": "2019-05-06T17:15:34+02:00"}
    settings = {**CONTRACT.settings, "hmac_key": key, "merchant_account": "TestMerchant"}
    (news,) = read(
        {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]},
        dataclasses.replace(CONTRACT, settings=settings),
    )
    assert (news.outcome, news.amount, news.operation_key) == (Outcome.APPROVED, 1130, "TestPayment-1407325143704")


def golden(name: str) -> dict[str, Any]:
    return json.loads((GOLDEN[0].parent / f"{name}.json").read_text())["message"]


@pytest.mark.parametrize(
    "change",
    [
        {"success": "false"},
        {"amount": {"currency": "EUR", "value": 1001}},
        {"amount": {"currency": "USD", "value": 1000}},
        {"pspReference": "ANOTHERPAYMENT00"},
        {"originalReference": "ANOTHERPAYMENT00"},
        {"merchantReference": "capture.op_other"},
        {"eventCode": "REFUND"},
        {"additionalData": {}},
        {"additionalData": {"hmacSignature": ""}},
        {"additionalData": {"hmacSignature": "ä"}},
        {"additionalData": {"hmacSignature": 5}},
        {"additionalData": None},
    ],
)
def test_a_changed_message_is_refused(change: dict[str, Any]) -> None:
    message = signed(golden("captured"))
    message["notificationItems"][0]["NotificationRequestItem"].update(change)
    with pytest.raises(NewsRefused):
        read(message)


def test_one_bad_item_refuses_the_whole_message() -> None:
    message = signed(golden("several_items"))
    message["notificationItems"][1]["NotificationRequestItem"]["success"] = "false"
    with pytest.raises(NewsRefused):
        read(message)


def test_a_message_signed_with_another_key_is_refused() -> None:
    with pytest.raises(NewsRefused):
        read(signed(golden("captured"), _NODE))


@pytest.mark.parametrize("login", ["", "Basic", "Basic bm86", LOGIN + "=", "Bearer x", "ä"])
def test_a_wrong_login_is_refused(login: str) -> None:
    with pytest.raises(NewsRefused):
        adyen.read_news(CONTRACT, {"authorization": login}, json.dumps(signed(golden("captured"))).encode())


def test_a_contract_without_a_login_asks_for_none() -> None:
    settings = {name: value for name, value in CONTRACT.settings.items() if not name.startswith("news")}
    body = json.dumps(signed(golden("captured"))).encode()
    assert adyen.read_news(dataclasses.replace(CONTRACT, settings=settings), {}, body)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"{}", b'{"notificationItems": 5}', b"\x00\xff", b"[" * 100_000]
)
def test_what_is_no_notification_is_refused(body: bytes) -> None:
    with pytest.raises(NewsRefused):
        adyen.read_news(CONTRACT, {"authorization": LOGIN}, body)


def test_a_contract_with_a_broken_key_refuses() -> None:
    settings = {**CONTRACT.settings, "hmac_key": "not hexadecimal"}
    with pytest.raises(NewsRefused):
        read(signed(golden("captured")), dataclasses.replace(CONTRACT, settings=settings))


@pytest.mark.parametrize(
    "change",
    [
        {"eventDate": "yesterday"},
        {"eventDate": 5},
        {"amount": {"value": "x", "currency": "EUR"}},
        {"amount": {"value": 5, "currency": "XXX"}},
        {"additionalData": {"defensePeriodEndsAt": "soon", "chargebackReasonCode": 4853}},
    ],
)
def test_a_signed_but_garbled_item_breaks_nothing(change: dict[str, Any]) -> None:
    message = golden("chargeback")
    message["notificationItems"][0]["NotificationRequestItem"].update(copy.deepcopy(change))
    (news,) = read(signed(message))
    assert news.dispute and news.dispute.turn == "charged_back"


def test_the_answer_is_what_adyen_wants_to_read() -> None:
    assert adyen.ACKNOWLEDGEMENT.body == "[accepted]"


# From the stand-in


@pytest.fixture
def told() -> Iterator[tuple[Contract, Caught]]:
    with peer.peer() as contract, catcher() as caught:
        peer.order(contract, webhook_url=caught.url)
        yield contract, caught


def next_news(contract: Contract, caught: Caught) -> News:
    """The next fact."""
    while True:
        news = adyen.read_news(contract, *caught.next())
        if news:
            return news[0]


def test_every_step_of_a_payment_is_told_with_our_keys(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    ask = peer.authorisation(amount=5000)
    reference = adyen.authorise(contract, ask).provider_reference
    assert reference
    authorised = next_news(contract, caught)
    assert (authorised.outcome, authorised.operation_key) == (Outcome.APPROVED, ask.operation_key)
    assert authorised.provider_reference == reference
    for verb, step in (
        ("capture", Capture(peer.key(), reference, 3000, "EUR", final=False)),
        ("refund", Refund(peer.key(), reference, 1000, "EUR")),
    ):
        pending = getattr(adyen, verb)(contract, step)
        news = next_news(contract, caught)
        assert (news.kind, news.outcome, news.amount) == (verb, Outcome.APPROVED, step.amount)
        assert (news.operation_key, news.provider_reference) == (step.operation_key, pending.provider_reference)
        assert news.authorisation_reference == reference


def test_what_was_received_may_still_be_refused(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    reference = peer.captured(contract, amount=5000)
    ask = Cancel(peer.key(), reference, 5000, "EUR")
    assert adyen.cancel(contract, ask).outcome is Outcome.PENDING
    while (news := next_news(contract, caught)).operation_key != ask.operation_key:
        continue
    assert (news.kind, news.outcome) == ("cancel", Outcome.DECLINED)


def test_a_refused_card_is_told_with_its_reason(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    answer = adyen.authorise(contract, peer.authorisation(card=peer.card(holder="NOT_ENOUGH_BALANCE")))
    news = next_news(contract, caught)
    assert (news.outcome, news.code) == (Outcome.DECLINED, answer.code)


def test_a_dispute_goes_through_its_turns(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    reference = peer.captured(contract, amount=5000)
    events = ("NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK", "CHARGEBACK_REVERSED", "SECOND_CHARGEBACK")
    for event in events:
        peer.order(contract, tell={"payment": reference, "event": event, "pspReference": "DISPUTE000000001"})
    turns: list[str] = []
    while len(turns) < len(events):
        news = next_news(contract, caught)
        if news.dispute:
            assert (news.authorisation_reference, news.amount) == (reference, 5000)
            turns.append(news.dispute.turn)
    assert turns == ["inquiry", "charged_back", "reversed", "charged_back"]


def test_the_same_notification_twice_tells_the_same_fact(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    peer.order(contract, news="twice")
    peer.authorised(contract)
    assert next_news(contract, caught) == next_news(contract, caught)


def test_notifications_may_come_late_and_newest_first(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    peer.order(contract, news="held")
    reference = peer.captured(contract)
    assert caught.inbox.empty()
    peer.order(contract, news="plain")
    assert [next_news(contract, caught).kind for _ in range(2)] == ["capture", "authorise"]
    assert reference


@pytest.mark.parametrize("given", ["\ud800", "é", "", None, 7, [], {}])
def test_a_signature_of_any_form_is_refused(given: Any) -> None:
    message = signed(json.loads(GOLDEN[0].read_text())["message"])
    message["notificationItems"][0]["NotificationRequestItem"]["additionalData"]["hmacSignature"] = given
    with pytest.raises(NewsRefused):
        read(message)


def test_a_signed_text_that_nobody_can_write_is_refused_like_any_other() -> None:
    message = signed(json.loads(GOLDEN[0].read_text())["message"])
    message["notificationItems"][0]["NotificationRequestItem"]["merchantReference"] = "\ud800"
    with pytest.raises(NewsRefused):
        read(message)
