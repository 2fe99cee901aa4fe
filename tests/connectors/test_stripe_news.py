"""Stripe's webhooks: signatures, golden messages, and what the stand-in really sends."""

import dataclasses
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.connectors import stripe
from app.connectors.kinds import Capture, Contract, News, NewsRefused, Outcome, Refund
from tests.connectors.peers import stripe as peer
from tests.connectors.peers._serving import Caught, catcher

GOLDEN = sorted((Path(__file__).parent / "golden" / "stripe").glob("*.json"))
CONTRACT = peer.contract("http://127.0.0.1:1")


def signed(body: bytes, *, secret: str = peer.WEBHOOK_SECRET, at: int | None = None) -> str:
    """An independent reading of Stripe's scheme: t, a dot, the body; hex HMAC-SHA256."""
    stamp = str(int(time.time()) if at is None else at)
    return f"t={stamp},v1={hmac.digest(secret.encode(), stamp.encode() + b'.' + body, hashlib.sha256).hex()}"


def read(event: dict[str, Any], contract: Contract = CONTRACT) -> list[News]:
    body = json.dumps(event).encode()
    return stripe.read_news(contract, {"stripe-signature": signed(body)}, body)


def plain(news: News) -> dict[str, Any]:
    """What a fact says, without what it leaves open and without when it happened."""
    given = {name: value for name, value in dataclasses.asdict(news).items() if not (value is None or value is False)}
    given.pop("occurred_at", None)
    if "dispute" in given:
        given["dispute"] = {name: value for name, value in given["dispute"].items() if value is not None}
    return json.loads(json.dumps(given, default=lambda value: value.isoformat()))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_message_is_read_as_written_beside_it(path: Path) -> None:
    golden = json.loads(path.read_text())
    assert [plain(news) for news in read(golden["event"])] == golden["read"]


def test_there_are_golden_messages() -> None:
    assert len(GOLDEN) > 30


# Signatures


BODY = b'{"type":"customer.created","livemode":false}'


def test_one_of_several_signatures_is_enough() -> None:
    time_and_new = signed(BODY, secret="whsec_the_next_one")
    both = f"{time_and_new},{signed(BODY).partition(',')[2]},v0=6ffbb59b2300aae63f27"
    assert stripe.read_news(CONTRACT, {"stripe-signature": both}, BODY) == []


@pytest.mark.parametrize(
    "header",
    [
        lambda: "",
        lambda: "v1=00",
        lambda: "t=,v1=",
        lambda: "t=now,v1=00",
        lambda: f"t={int(time.time())}",
        lambda: f"t={int(time.time())},v1=",
        lambda: f"t={int(time.time())},v1=ä",
        lambda: f"t={'9' * 5000},v1=00",
        lambda: "t=1,t=2,v1=00",
        lambda: signed(BODY, secret="whsec_of_someone_else"),
        lambda: signed(BODY + b" "),
        lambda: signed(BODY, at=int(time.time()) - 301),
        lambda: signed(BODY, at=int(time.time()) + 400),
        lambda: signed(BODY).replace("v1=", "v0="),
    ],
)
def test_a_message_without_a_fresh_and_right_signature_is_refused(header: Callable[[], str]) -> None:
    with pytest.raises(NewsRefused):
        stripe.read_news(CONTRACT, {"stripe-signature": header()}, BODY)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"type": 1}', b"\x00\xff", b"[" * 100_000])
def test_a_signed_message_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(NewsRefused):
        stripe.read_news(CONTRACT, {"stripe-signature": signed(body)}, body)


@pytest.mark.parametrize("thing", [None, [], {"id": 5}, {"id": "pi_1", "amount": "5", "currency": 7}, {}])
def test_an_event_about_something_garbled_breaks_nothing(thing: Any) -> None:
    for kind in ("payment_intent.succeeded", "charge.captured", "refund.created", "charge.dispute.created"):
        for news in read({"type": kind, "livemode": False, "data": {"object": thing}}):
            assert news.amount is None


# From the stand-in


@pytest.fixture
def told() -> Iterator[tuple[Contract, Caught]]:
    with peer.peer() as contract, catcher() as caught:
        peer.order(contract, webhook_url=caught.url)
        yield contract, caught


def next_news(contract: Contract, caught: Caught) -> list[News]:
    """The facts of the next event that tells any."""
    while True:
        news = stripe.read_news(contract, *caught.next())
        if news:
            return news


def test_an_authorisation_and_its_capture_are_told_with_our_key(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    ask = peer.authorisation(amount=5000)
    reference = stripe.authorise(contract, ask).provider_reference
    assert reference
    (authorised,) = next_news(contract, caught)
    assert (authorised.kind, authorised.operation_key, authorised.amount) == ("authorise", ask.operation_key, 5000)
    capture = Capture(peer.key(), reference, 3000, "EUR", final=True)
    answer = stripe.capture(contract, capture)
    again, captured, released = next_news(contract, caught)
    assert again.id == authorised.id
    assert (captured.kind, captured.amount, captured.operation_key) == ("capture", 3000, capture.operation_key)
    assert captured.provider_reference == answer.provider_reference
    assert (released.released, released.amount) == (True, 2000)


def test_the_released_rest_is_never_told_as_a_refund(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    reference = peer.authorised(contract, "EUR", 5000)
    stripe.capture(contract, Capture(peer.key(), reference, 3000, "EUR", final=True))
    ask = Refund(peer.key(), reference, 3000, "EUR")
    stripe.refund(contract, ask)
    facts: list[News] = []
    while not any(news.operation_key == ask.operation_key for news in facts):
        facts += stripe.read_news(contract, *caught.next())
    refunds = {news.id: news.amount for news in facts if news.kind == "refund" and not news.released}
    assert list(refunds.values()) == [3000]


def test_a_dispute_is_told_with_its_fee_and_its_deadline(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    reference = peer.captured(contract, "EUR", 5000)
    peer.order(contract, dispute={"payment_intent": reference, "status": "warning_needs_response"})
    peer.order(contract, dispute={"payment_intent": reference, "status": "needs_response"})
    peer.order(contract, dispute={"payment_intent": reference, "status": "won"})
    turns: dict[str, News] = {}
    while "reversed" not in turns:
        for news in stripe.read_news(contract, *caught.next()):
            if news.dispute:
                turns.setdefault(news.dispute.turn, news)
    assert list(turns) == ["inquiry", "charged_back", "reversed"]
    charged_back = turns["charged_back"]
    assert charged_back.dispute and charged_back.authorisation_reference == reference
    assert (charged_back.amount, charged_back.dispute.fee, charged_back.dispute.reason) == (5000, 2000, "fraudulent")
    assert charged_back.dispute.respond_by


def test_an_event_is_sent_again_until_it_is_taken(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    caught.answer_with = 503
    ask = peer.authorisation()
    stripe.authorise(contract, ask)
    caught.answer_with = 200
    assert next_news(contract, caught)[0].operation_key == ask.operation_key


def test_the_same_event_twice_tells_the_same_fact(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    peer.order(contract, events="twice")
    stripe.authorise(contract, peer.authorisation())
    assert next_news(contract, caught) == next_news(contract, caught)


def test_a_decline_is_told_with_its_reason(told: tuple[Contract, Caught]) -> None:
    contract, caught = told
    ask = peer.authorisation(peer.DECLINED)
    answer = stripe.authorise(contract, ask)
    (news,) = next_news(contract, caught)
    assert (news.outcome, news.code, news.operation_key) == (Outcome.DECLINED, answer.code, ask.operation_key)
