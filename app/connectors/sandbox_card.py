"""Card payments through the sandbox acquirers A to E (`sandbox/acquirers/PROTOCOL.md` is the wire format).

One connector for five dialects: their field names, status words and reasons are the tables of
`_sandbox_card_words.py`. Amounts are integers in minor units in both directions; every write carries our
operation key as `Idempotency-Key`, and an enquiry asks by that key, so nothing done can be lost from sight.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

import structlog

from app.config import settings
from app.connectors._sandbox_card_words import (
    ERRORS,
    FIELD_NAMES,
    MASTERCARD_RESPONSE_CODES,
    OUTCOMES,
    REASONS,
    RESPONSE_CODES,
)
from app.connectors.kinds import (
    Acknowledgement,
    Action,
    Answer,
    Authorise,
    Can,
    Cancel,
    Capture,
    Card,
    Connector,
    Contract,
    DeclineCode,
    DisputeNews,
    Enquire,
    News,
    NewsRefused,
    Outcome,
    Refund,
    Register,
    Setting,
)
from app.core.clock import now
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

NEWS_TOLERANCE_SECONDS = 300
LONGEST_LIFETIME = timedelta(days=366)


def register(contract: Contract, ask: Register) -> Answer:
    assert ask.card, "a card is registered with its number"
    body = {"card": _card(ask.card), "currency": ask.currency}
    return _ask(contract, "/v1/tokens", body, ask.operation_key)


def authorise(contract: Contract, ask: Authorise) -> Answer:
    if ask.resume:
        path = f"/v1/authorisations/{_quoted(ask.resume.provider_reference)}/finish"
        body: dict[str, Any] = {"challenge": ask.resume.parameters.get("challenge", "")}
        return _ask(contract, path, body, ask.operation_key)
    body = {
        "amount": ask.amount,
        "currency": ask.currency,
        "reference": ask.merchant_reference,
        "news_url": f"{settings().public_url}/news/sandbox_card/{contract.id}",
    }
    if ask.reauthorise:
        path = f"/v1/authorisations/{_quoted(ask.reauthorise)}/reauthorise"
        return _ask(contract, path, body, ask.operation_key)
    assert bool(ask.card) != bool(ask.token), "a card or a token"
    body |= {"token": ask.token} if ask.token else {"card": _card(ask.card), "store": ask.store}
    body |= {"capture": ask.capture, "initiator": ask.initiator, "return_url": ask.return_url}
    if ask.series:
        body |= {"series": ask.series, "scheme_transaction_id": ask.scheme_transaction_id}
    return _ask(contract, "/v1/authorisations", body, ask.operation_key)


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
    answer = _ask(contract, f"/v1/operations?{query}", None, ask.operation_key)
    if answer.provider_code == "never_arrived":
        return replace(answer, code=DeclineCode.NEVER_ARRIVED)
    return answer


def read_news(contract: Contract, headers: Mapping[str, str], body: bytes) -> list[News]:
    """Raises NewsRefused."""
    lowered = {name.lower(): value for name, value in headers.items()}
    _verify(contract.settings["news_secret"], lowered.get("x-sandbox-signature", ""), body)
    try:
        return _news(_fields(lowered.get("content-type", ""), body))
    except _Garbled as garbled:
        raise NewsRefused(str(garbled)) from None


# Asking


class _Garbled(Exception):
    """Not an answer that the protocol knows."""


def _move(contract: Contract, what: str, ask: Capture | Refund | Cancel, more: dict[str, Any]) -> Answer:
    path = f"/v1/authorisations/{_quoted(ask.provider_reference)}/{what}"
    return _ask(contract, path, {"amount": ask.amount, "currency": ask.currency, **more}, ask.operation_key)


def _ask(contract: Contract, path: str, body: dict[str, Any] | None, operation_key: str) -> Answer:
    """POST with a body, or an enquiry. Silence and what cannot be read are UNKNOWN. Raises NotSent."""
    headers = {"Authorization": f"Bearer {contract.settings['api_key']}"}
    if body is not None:
        headers |= {"Content-Type": "application/json", "Idempotency-Key": operation_key}
    try:
        response = send(
            "GET" if body is None else "POST",
            contract.settings["url"].rstrip("/") + path,
            headers=headers,
            body=None if body is None else json.dumps(body).encode(),
        )
        return _answer(response, operation_key, refusal_is_no=body is not None and not path.endswith("/finish"))
    except NoAnswer as silence:
        log.warning("provider_silent", provider="sandbox_card", contract=contract.id, error=str(silence))
    except _Garbled as garbled:
        log.warning("provider_answer_not_understood", provider="sandbox_card", contract=contract.id, why=str(garbled))
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


# Reading an answer. Nothing of a body that is not understood is logged or passed on: it may hold a card.


def _answer(response: Response, operation_key: str, refusal_is_no: bool) -> Answer:
    """`refusal_is_no`: a refused request is a no, unless it asked about something done earlier. Raises
    _Garbled, and NotSent where the acquirer says in so many words that it did nothing."""
    fields = _fields(response.headers.get("content-type", ""), response.body)
    if "error" in fields:
        return _refusal(_text(fields, "error") or "", refusal_is_no)
    if response.status >= 500:
        raise _Garbled(f"status {response.status}")
    if _text(fields, "key") != operation_key:
        raise _Garbled("the answer is about something else")
    outcome, code, provider_code = _judged(fields)
    reference, action_url = _text(fields, "id"), _text(fields, "action_url") or ""
    if not reference:
        raise _Garbled("an answer without an id")
    if outcome is Outcome.ACTION and not action_url.startswith(("http://", "https://")):
        raise _Garbled("an action without an address")
    return Answer(
        outcome=outcome,
        provider_reference=reference,
        code=code,
        provider_code=provider_code,
        message=_text(fields, "message"),
        amount=_number(fields, "amount") or None,
        captured=_number(fields, "captured"),
        released=_number(fields, "released"),
        action=Action(action_url, kind="challenge", framable=True) if outcome is Outcome.ACTION else None,
        token=_text(fields, "token"),
        brand=_text(fields, "brand"),
        last4=_text(fields, "last4"),
        funding=_text(fields, "funding"),
        issuer_country=_text(fields, "issuer_country"),
        scheme_transaction_id=_text(fields, "scheme_transaction_id"),
        valid_for=_lifetime(fields),
    )


def _refusal(error: str, refusal_is_no: bool) -> Answer:
    if refusal_is_no and error == "not_processed":
        raise NotSent("the acquirer did not process the request")
    if refusal_is_no and error in ERRORS:
        return Answer(Outcome.DECLINED, code=ERRORS[error], provider_code=error)
    raise _Garbled(f"error {_harmless(error)}")  # such as not_yet, key_reused


def _judged(fields: Mapping[str, Any]) -> tuple[Outcome, DeclineCode | None, str | None]:
    """Outcome, our reason, the acquirer's reason. Raises _Garbled for a word that is in no table."""
    word, reason = _text(fields, "status") or "", _text(fields, "reason")
    response_codes = MASTERCARD_RESPONSE_CODES if _text(fields, "brand") == "mastercard" else RESPONSE_CODES
    if word in response_codes:
        return Outcome.DECLINED, response_codes[word], word
    if word not in OUTCOMES:
        raise _Garbled(f"unknown word {_harmless(word)}")
    if OUTCOMES[word] is not Outcome.DECLINED:
        return OUTCOMES[word], None, None
    return Outcome.DECLINED, REASONS.get(reason or "", DeclineCode.PROVIDER_DECLINED), reason


def _fields(content_type: str, body: bytes) -> dict[str, Any]:
    """The fields of an answer or a notification under our names. Raises _Garbled."""
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            fields: Any = dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
        else:
            fields = json.loads(body)
    except (ValueError, RecursionError):
        raise _Garbled(f"unreadable answer of {len(body)} bytes") from None
    if not isinstance(fields, dict):
        raise _Garbled("an answer without fields")
    return {FIELD_NAMES.get(str(name), str(name)): value for name, value in fields.items()}


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not (isinstance(value, str) and value.isprintable() and len(value) <= 500):
        raise _Garbled(f"{name} is not a text")
    return value or None


def _number(fields: Mapping[str, Any], name: str) -> int | None:
    """A whole number of zero or more; form-encoded answers carry it as digits."""
    value = fields.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        value = int(value)
    if value is not None and (type(value) is not int or not 0 <= value < 10**12):
        raise _Garbled(f"{name} is not a number")
    return value


def _lifetime(fields: Mapping[str, Any]) -> timedelta | None:
    seconds = _number(fields, "valid_for_seconds")
    return None if seconds is None else min(timedelta(seconds=seconds), LONGEST_LIFETIME)


def _harmless(word: str) -> str:
    """A word that may be logged: short, and no card number."""
    return repr(word) if len(word) <= 40 and sum(map(str.isdigit, word)) <= 6 else "(not shown)"


# Notifications


def _verify(secret: str, signature: str, body: bytes) -> None:
    """`t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. Raises NewsRefused."""
    parts = [part.partition("=") for part in signature.split(",")]
    time = next((value for name, _, value in parts if name.strip() == "t"), "")
    given = [value.strip() for name, _, value in parts if name.strip() == "v1"]
    expected = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    if not (time.isascii() and time.isdigit() and len(time) <= 12):
        raise NewsRefused("no time in the signature")
    if not any(hmac.compare_digest(expected.encode(), value.encode()) for value in given):
        raise NewsRefused("wrong signature")
    if abs(now().timestamp() - int(time)) > NEWS_TOLERANCE_SECONDS:
        raise NewsRefused("too old, or from the future")


def _news(fields: dict[str, Any]) -> list[News]:
    kind, id = _text(fields, "kind"), _text(fields, "news")
    if not id:
        raise _Garbled("a notification without an id")
    if kind not in ("authorise", "capture", "refund", "cancel", "dispute"):
        log.warning("provider_news_not_understood", provider="sandbox_card", kind=_harmless(kind or ""))
        return []
    try:
        outcome, code, provider_code = _judged(fields)
    except _Garbled as garbled:
        log.warning("provider_news_not_understood", provider="sandbox_card", why=str(garbled))
        outcome, code, provider_code = Outcome.UNKNOWN, None, None
    dispute = _dispute(fields) if kind == "dispute" else None
    fact = News(
        id=id,
        kind=kind,
        outcome=outcome,
        amount=_number(fields, "amount"),
        currency=_text(fields, "currency"),
        occurred_at=_moment(fields),
        operation_key=None if dispute else _text(fields, "key"),
        provider_reference=None if dispute else _text(fields, "id"),
        authorisation_reference=_text(fields, "authorisation"),
        code=code,
        provider_code=provider_code,
        dispute=dispute,
    )
    return [fact, *_released(fact, _number(fields, "released"))]


def _released(capture: News, amount: int | None) -> list[News]:
    """A capture that let go of the rest of its authorisation is two facts."""
    if not amount:
        return []
    return [
        News(
            id=f"{capture.id}.released",
            kind="cancel",
            outcome=Outcome.APPROVED,
            amount=amount,
            currency=capture.currency,
            occurred_at=capture.occurred_at,
            authorisation_reference=capture.authorisation_reference,
            released=True,
        )
    ]


def _moment(fields: dict[str, Any]) -> datetime | None:
    seconds = _number(fields, "occurred_at")
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError):
        raise _Garbled("occurred_at is not a time") from None


def _dispute(fields: dict[str, Any]) -> DisputeNews:
    turn, reference = _text(fields, "turn"), _text(fields, "id")
    if turn not in ("inquiry", "charged_back", "reversed", "lost") or not reference:
        raise _Garbled("a dispute without a turn that we know")
    respond_by = _text(fields, "respond_by")
    try:
        until = date.fromisoformat(respond_by) if respond_by else None
    except ValueError:
        raise _Garbled("respond_by is not a date") from None
    return DisputeNews(
        turn=turn,
        provider_reference=reference,
        reason=_text(fields, "dispute_reason") or "",
        fee=_number(fields, "fee"),
        respond_by=until,
    )


if TYPE_CHECKING:
    from app.connectors import sandbox_card as _me

    _: Connector = _me
