"""Reading the notifications of the sandbox acquirers."""

import hashlib
import hmac
from datetime import UTC, date, datetime
from typing import Any

import structlog

from app.connectors._sandbox_card_wire import Garbled, harmless, judged, number, spoken, text
from app.connectors.kinds import DisputeNews, News, NewsRefused, Outcome
from app.core.clock import now

log = structlog.get_logger()

TOLERANCE_SECONDS = 300


def verify(secret: str, signature: str, body: bytes, received_at: datetime | None = None) -> None:
    """`t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, fresh when it came. Raises NewsRefused."""
    parts = [part.partition("=") for part in signature.split(",")]
    time = next((value for name, _, value in parts if name.strip() == "t"), "")
    given = [value.strip() for name, _, value in parts if name.strip() == "v1"]
    expected = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    if not (time.isascii() and time.isdigit() and len(time) <= 12):
        raise NewsRefused("no time in the signature")
    if not any(hmac.compare_digest(expected.encode(), value.encode()) for value in given):
        raise NewsRefused("wrong signature")
    if abs((received_at or now()).timestamp() - int(time)) > TOLERANCE_SECONDS:
        raise NewsRefused("too old, or from the future")


def facts(fields: dict[str, Any]) -> list[News]:
    kind, id = text(fields, "kind"), text(fields, "news")
    if not id:
        raise Garbled("a notification without an id")
    if kind not in ("authorise", "capture", "refund", "cancel", "dispute"):
        log.warning("provider_news_not_understood", provider="sandbox_card", kind=harmless(kind or ""))
        return []
    try:
        outcome, code, provider_code = judged(fields)
    except Garbled as garbled:
        log.warning("provider_news_not_understood", provider="sandbox_card", why=str(garbled))
        outcome, code, provider_code = Outcome.UNKNOWN, None, None
    dispute = _dispute(fields) if kind == "dispute" else None
    fact = News(
        id=id,
        kind=kind,
        outcome=outcome,
        amount=number(fields, "amount"),
        currency=text(fields, "currency"),
        occurred_at=_moment(fields),
        operation_key=None if dispute else text(fields, "key"),
        provider_reference=None if dispute else text(fields, "id"),
        authorisation_reference=text(fields, "authorisation"),
        code=code,
        provider_code=provider_code,
        dispute=dispute,
    )
    return [fact, *_released(fact, number(fields, "released"))]


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
    seconds = number(fields, "occurred_at")
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError):
        raise Garbled("occurred_at is not a time") from None


def _dispute(fields: dict[str, Any]) -> DisputeNews:
    turn, reference = text(fields, "turn"), text(fields, "id")
    if turn not in ("inquiry", "charged_back", "reversed", "lost") or not reference:
        raise Garbled("a dispute without a turn that we know")
    respond_by = text(fields, "respond_by")
    try:
        until = date.fromisoformat(respond_by) if respond_by else None
    except ValueError:
        raise Garbled("respond_by is not a date") from None
    return DisputeNews(
        turn=turn,
        provider_reference=reference,
        reason=spoken(fields, "dispute_reason") or "",
        fee=number(fields, "fee"),
        respond_by=until,
    )
