"""The 3-D Secure page of the sandbox acquirers: what it shows, and where it sends the browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.connectors import sandbox_card
from app.connectors.kinds import Authorise, DeclineCode, Outcome, Resume
from app.core.http import Response, send
from tests.connectors.peers.sandbox_card import card, new_key
from tests.sandbox.running import REPOSITORY, Receiver, RunningAcquirer, receiving, running

RETURN_URL = "http://localhost:8700/pay/abc/back?step=2#top"
STYLE = REPOSITORY / "sandbox" / "acquirers" / "acs.css"


@pytest.fixture
def a(tmp_path: Path) -> Iterator[RunningAcquirer]:
    with running("A", tmp_path) as acquirer:
        yield acquirer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def challenged(acquirer: RunningAcquirer, **more) -> tuple[Authorise, str, str]:
    """The ask, the authorisation's id and the address of the page."""
    fields = {"merchant_reference": "Bestellung <7>", "return_url": RETURN_URL, **more}
    ask = Authorise(new_key(), "card", 123_450, "EUR", card=card("challenge"), **fields)
    answer = sandbox_card.authorise(acquirer.contract(), ask)
    assert answer.action and answer.provider_reference
    return ask, answer.provider_reference, answer.action.url


def decide(url: str, decision: str) -> Response:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return send("POST", url, headers=headers, body=f"decision={decision}".encode())


def finish(acquirer: RunningAcquirer, ask: Authorise, id: str, back: str):
    proof = parse_qs(urlsplit(back).query)["challenge"][0]
    resume = Resume(id, {"challenge": proof})
    again = Authorise(ask.operation_key, "card", ask.amount, ask.currency, "", resume=resume)
    return sandbox_card.authorise(acquirer.contract(), again)


def test_the_page_says_who_wants_how_much_for_what(a: RunningAcquirer) -> None:
    url = challenged(a)[2]
    german = send("GET", url, headers={"Accept-Language": "de-DE,de;q=0.9,en;q=0.8"}).body.decode()
    assert '<html lang="de">' in german and "Zahlung bestätigen" in german and "1.234,50\xa0€" in german
    english = send("GET", url, headers={"Accept-Language": "fr, en-GB;q=0.7, de;q=0.5"}).body.decode()
    assert '<html lang="en">' in english and "Confirm your payment" in english and "€1,234.50" in english
    for page in (german, english):
        assert "Visa •••• 3220" in page and "Bestellung &lt;7&gt;" in page
        assert re.search(r"\b\d{3} \d{3}\b", page), "the comparison code"


def test_the_page_needs_no_script_and_no_cookie_and_may_stand_in_a_frame(a: RunningAcquirer) -> None:
    response = send("GET", challenged(a)[2])
    page = response.body.decode()
    assert "<script" not in page and "src=" not in page and "set-cookie" not in response.headers
    assert "x-frame-options" not in response.headers
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "frame-ancestors" not in policy and "form-action" not in policy
    assert response.headers["referrer-policy"] == "no-referrer" and response.headers["cache-control"] == "no-store"


def test_every_text_has_enough_contrast() -> None:
    pairs = [("#1c2430", "#fff"), ("#4a5567", "#fff"), ("#fff", "#175c4c"), ("#175c4c", "#fff"), ("#5c4400", "#fff3cd")]
    style = STYLE.read_text()
    assert [colour for pair in pairs for colour in pair if colour not in style] == []
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


@pytest.mark.parametrize(
    ("decision", "outcome", "code"),
    [
        ("approve", Outcome.APPROVED, None),
        ("decline", Outcome.DECLINED, DeclineCode.AUTHENTICATION_FAILED),
        ("cancel", Outcome.DECLINED, DeclineCode.PAYER_CANCELLED),
    ],
)
def test_each_button_leads_back_to_the_shop_and_has_its_outcome(
    a: RunningAcquirer, decision: str, outcome: Outcome, code: DeclineCode | None
) -> None:
    ask, id, url = challenged(a)
    response = decide(url, decision)
    back = response.headers["location"]
    assert response.status == 303
    assert back.startswith("http://localhost:8700/pay/abc/back?step=2&challenge=") and back.endswith("#top")
    assert a.done() == [], "nothing is authorised before the shop finishes"
    answer = finish(a, ask, id, back)
    assert (answer.outcome, answer.code) == (outcome, code)
    assert len(a.done()) == (outcome is Outcome.APPROVED)
    assert finish(a, ask, id, back).outcome is outcome, "finishing twice changes nothing"
    assert len(a.done()) == (outcome is Outcome.APPROVED)


def test_the_first_decision_stands(a: RunningAcquirer) -> None:
    ask, id, url = challenged(a)
    first = decide(url, "decline").headers["location"]
    assert decide(url, "approve").headers["location"] == first
    assert finish(a, ask, id, first).outcome is Outcome.DECLINED
    page = send("GET", url).body.decode()
    assert "already been answered" in page and first.replace("&", "&amp;") in page


def test_a_decision_survives_a_kill(a: RunningAcquirer) -> None:
    ask, id, url = challenged(a)
    back = decide(url, "approve").headers["location"]
    a.kill()
    a.start()
    assert finish(a, ask, id, back).outcome is Outcome.APPROVED


def test_an_unknown_decision_or_page_decides_nothing(a: RunningAcquirer) -> None:
    _, _, url = challenged(a)
    assert decide(url, "maybe").status == 200
    assert decide(url, "approve").status == 303
    assert send("GET", url + "x").status == 404


def test_b_authorises_at_once_and_tells_even_if_the_payer_never_comes_back(tmp_path: Path, receiver: Receiver) -> None:
    with running("B", tmp_path) as b:
        body = {
            "amount": 700,
            "currency": "JPY",
            "card": {"number": card("challenge").number, "expiry_month": 12, "expiry_year": 2034},
            "return_url": RETURN_URL,
            "news_url": receiver.url,
        }
        asked = b.request("POST", "/v1/authorisations", body, key="auth")[1]
        assert "¥700<" in send("GET", asked["redirectUrl"], headers={"Accept-Language": "en"}).body.decode()
        decide(asked["redirectUrl"], "approve")
        assert b.done() == [("authorised", 700, "auth")]
        headers, notification = receiver.next()
        (fact,) = sandbox_card.read_news(b.contract(), headers, notification)
    assert (fact.operation_key, fact.outcome, fact.amount) == ("auth", Outcome.APPROVED, 700)


def test_the_page_can_answer_by_itself(a: RunningAcquirer) -> None:
    a.control(acs="auto")
    ask, id, url = challenged(a)
    response = send("GET", url)
    assert response.status == 303
    assert finish(a, ask, id, response.headers["location"]).outcome is Outcome.APPROVED


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio of two hexadecimal colours."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
