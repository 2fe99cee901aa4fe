"""Card payments through the sandbox acquirers A to E (`sandbox/acquirers/PROTOCOL.md` is the wire format).

One connector for five dialects: their field names, status words and reasons are the tables of
`_sandbox_card_words.py`. Amounts are integers in minor units in both directions; every write carries our
operation key as `Idempotency-Key`, and an enquiry asks by that key, so nothing done can be lost from sight.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import structlog

from app.config import settings
from app.connectors._checking import checked
from app.connectors._sandbox_card_news import facts, verify
from app.connectors._sandbox_card_wire import Garbled, harmless, judged, number, read, spoken, text
from app.connectors._sandbox_card_words import ERRORS
from app.connectors.kinds import (
    Acknowledgement,
    Action,
    Answer,
    Authorise,
    Can,
    Cancel,
    Capture,
    Card,
    Checked,
    Connector,
    Contract,
    DeclineCode,
    Enquire,
    News,
    NewsRefused,
    Outcome,
    Reached,
    Refund,
    Register,
    Resume,
    Setting,
)
from app.core.http import NoAnswer, NotSent, Response, send
from app.core.texts import N_

log = structlog.get_logger()

LABEL = N_("Sandbox card acquirer")
METHODS = frozenset({"card"})
CAN = Can(
    captures="many",  # acquirer C takes one and says in its answer what it released
    refunds="many",
    cancel_rest=True,
    tokens=True,
    unscheduled=True,
    authorisation_days=7,
    honour_days=7,
    reauthorise=True,
    resolve={
        "register": "by_reference",
        "authorise": "by_reference",
        "capture": "by_reference",
        "refund": "by_reference",
        "cancel": "by_reference",
    },
)
SETTINGS = (
    Setting("url", N_("Address of the acquirer"), help=N_("For example http://127.0.0.1:8801")),
    Setting("api_key", N_("API key"), secret=True),
    Setting("news_secret", N_("Secret of the notifications"), secret=True),
)
ACKNOWLEDGEMENT = Acknowledgement()

LONGEST_LIFETIME = timedelta(days=366)


def register(contract: Contract, ask: Register) -> Answer:
    assert ask.card, "a card is registered with its number"
    body = {"card": _card(ask.card), "currency": ask.currency}
    return _do(contract, "/v1/tokens", body, ask.operation_key)


def authorise(contract: Contract, ask: Authorise) -> Answer:
    if ask.resume:
        return _finish(contract, ask.resume)
    body: dict[str, Any] = {
        "amount": ask.amount,
        "currency": ask.currency,
        "reference": ask.merchant_reference,
        "news_url": f"{settings().public_url}/news/sandbox_card/{contract.id}",
    }
    if ask.reauthorise:
        path = f"/v1/authorisations/{_quoted(ask.reauthorise)}/reauthorise"
        return _do(contract, path, body, ask.operation_key)
    assert bool(ask.card) != bool(ask.token), "a card or a token"
    body |= {"token": ask.token} if ask.token else {"card": _card(ask.card), "store": ask.store}
    body |= {"initiator": ask.initiator, "return_url": ask.return_url}
    if ask.series:
        body |= {"series": ask.series, "scheme_transaction_id": ask.scheme_transaction_id}
    return _do(contract, "/v1/authorisations", body, ask.operation_key)


def capture(contract: Contract, ask: Capture) -> Answer:
    return _move(contract, "captures", ask, {"final": ask.final, "reference": ask.merchant_reference})


def refund(contract: Contract, ask: Refund) -> Answer:
    return _move(contract, "refunds", ask, {"reference": ask.merchant_reference})


def cancel(contract: Contract, ask: Cancel) -> Answer:
    return _move(contract, "cancels", ask, {})


def enquire(contract: Contract, ask: Enquire) -> Answer:
    """By our key. `unseen=refuse`: if the acquirer never had it, it promises to refuse it should it still
    arrive, and says so (NEVER_ARRIVED); without that promise "not found" would be no answer."""
    query = urlencode({"key": ask.operation_key, "unseen": "refuse"})
    answer = _ask_about(contract, "GET", f"/v1/operations?{query}", None, ("key", ask.operation_key))
    if answer.provider_code == "never_arrived":
        return replace(answer, code=DeclineCode.NEVER_ARRIVED)
    return answer


def check(contract: Contract) -> Checked:
    """Asks whose key this is. An acquirer of the sandbox moves no money, so that a live contract cannot be right."""

    def call() -> Checked:
        if contract.live:
            return Checked(Reached.WRONG_MODE)
        response = send("GET", contract.settings["url"].rstrip("/") + "/v1/account", headers=_authorization(contract))
        try:
            fields = read(response.headers.get("content-type", ""), response.body)
            if response.status == 401:
                return Checked(Reached.REFUSED, spoken(fields, "error"))
            return Checked(Reached.WORKS if response.status == 200 and text(fields, "acquirer") else Reached.UNCLEAR)
        except Garbled:
            return Checked(Reached.UNCLEAR)

    return checked(call)


def move_clock(contract: Contract, offset_seconds: int) -> bool:
    """An acquirer may serve several merchants, and never goes back: who asks for less than it has is content."""
    if contract.live:
        return False
    url = contract.settings["url"].rstrip("/") + "/control"
    body = json.dumps({"clock_offset": offset_seconds}).encode()
    try:
        answer = send("POST", url, headers={"Content-Type": "application/json"}, body=body)
        if answer.status == 422:
            answer = send("GET", url)
        return answer.status == 200 and json.loads(answer.body)["clock_offset"] >= offset_seconds
    except (NotSent, NoAnswer, ValueError, KeyError, TypeError):
        return False


def read_news(
    contract: Contract, headers: Mapping[str, str], body: bytes, received_at: datetime | None = None
) -> list[News]:
    """Raises NewsRefused."""
    lowered = {name.lower(): value for name, value in headers.items()}
    verify(contract.settings["news_secret"], lowered.get("x-sandbox-signature", ""), body, received_at)
    try:
        return facts(read(lowered.get("content-type", ""), body))
    except Garbled as garbled:
        raise NewsRefused(str(garbled)) from None


# Asking


def _move(contract: Contract, what: str, ask: Capture | Refund | Cancel, more: dict[str, Any]) -> Answer:
    path = f"/v1/authorisations/{_quoted(ask.provider_reference)}/{what}"
    return _do(contract, path, {"amount": ask.amount, "currency": ask.currency, **more}, ask.operation_key)


def _finish(contract: Contract, resume: Resume) -> Answer:
    """After 3-D Secure: what becomes of an authorisation that the acquirer already has."""
    path = f"/v1/authorisations/{_quoted(resume.provider_reference)}/finish"
    body = {"challenge": resume.parameters.get("challenge", "")}
    return _ask_about(contract, "POST", path, body, ("id", resume.provider_reference))


def _do(contract: Contract, path: str, body: dict[str, Any], operation_key: str) -> Answer:
    """Something new. Raises NotSent, also where the acquirer says in so many words that it did nothing."""
    said = _exchange(contract, "POST", path, body, {"Idempotency-Key": operation_key}, ("key", operation_key))
    if isinstance(said, Answer):
        return said
    if said == "not_processed":
        raise NotSent("the acquirer did not process the request")
    if said in ERRORS:
        return Answer(Outcome.DECLINED, code=ERRORS[said], provider_code=said)
    return _unknown(contract, f"refused: {harmless(said)}")


def _ask_about(
    contract: Contract, method: str, path: str, body: dict[str, Any] | None, about: tuple[str, str]
) -> Answer:
    """Something done earlier: a question that is refused says nothing about it. Raises NotSent."""
    said = _exchange(contract, method, path, body, {}, about)
    return said if isinstance(said, Answer) else _unknown(contract, f"question refused: {harmless(said)}")


def _exchange(
    contract: Contract,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    headers: dict[str, str],
    about: tuple[str, str],
) -> Answer | str:
    """The answer, or the error word of a refused request. `about`: the field by which the answer must
    name what we asked about. Silence and what cannot be read are UNKNOWN. Raises NotSent."""
    headers = {**_authorization(contract), **headers}
    if body is not None:
        headers["Content-Type"] = "application/json"
    url = contract.settings["url"].rstrip("/") + path
    try:
        response = send(method, url, headers=headers, body=None if body is None else json.dumps(body).encode())
        return _answer(response, about)
    except (NoAnswer, Garbled) as why:
        return _unknown(contract, str(why))


def _authorization(contract: Contract) -> dict[str, str]:
    return {"Authorization": f"Bearer {contract.settings['api_key']}"}


def _unknown(contract: Contract, why: str) -> Answer:
    log.warning("provider_answer_unknown", provider="sandbox_card", contract=contract.id, why=why)
    return Answer(Outcome.UNKNOWN)


def _card(card: Card | None) -> dict[str, Any]:
    assert card
    return {
        "number": card.number,
        "expiry_month": card.expiry_month,
        "expiry_year": card.expiry_year,
        "security_code": card.security_code,
        "holder": card.holder,
    }


def _quoted(reference: str) -> str:
    return quote(reference, safe="")


def _answer(response: Response, about: tuple[str, str]) -> Answer | str:
    """Raises Garbled."""
    fields = read(response.headers.get("content-type", ""), response.body)
    if error := text(fields, "error"):
        return error  # even with a 5xx: the only such word we act on is an explicit one
    if response.status >= 500:
        raise Garbled(f"status {response.status}")
    if text(fields, about[0]) != about[1]:
        raise Garbled("the answer is about something else")
    outcome, code, provider_code = judged(fields)
    reference, action_url = text(fields, "id"), text(fields, "action_url") or ""
    if not reference:
        raise Garbled("an answer without an id")
    if outcome is Outcome.ACTION and not action_url.startswith(("http://", "https://")):
        raise Garbled("an action without an address")
    return Answer(
        outcome=outcome,
        provider_reference=reference,
        code=code,
        provider_code=provider_code,
        message=spoken(fields, "message"),
        amount=number(fields, "amount") or None,
        released=number(fields, "released"),
        action=Action(action_url, kind="challenge", framable=True) if outcome is Outcome.ACTION else None,
        token=text(fields, "token"),
        brand=text(fields, "brand"),
        last4=text(fields, "last4"),
        funding=text(fields, "funding"),
        issuer_country=text(fields, "issuer_country"),
        scheme_transaction_id=text(fields, "scheme_transaction_id"),
        valid_for=_lifetime(fields),
    )


def _lifetime(fields: Mapping[str, Any]) -> timedelta | None:
    seconds = number(fields, "valid_for_seconds")
    return None if seconds is None else min(timedelta(seconds=seconds), LONGEST_LIFETIME)


if TYPE_CHECKING:
    from app.connectors import sandbox_card as _me

    _: Connector = _me
