"""Facts from providers: kept raw, read, matched to an operation, booked. The same news twice changes nothing."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import structlog
from sqlalchemy import Connection, case, func, select, update

from app.connectors import CONNECTORS
from app.connectors.kinds import Answer, DeclineCode, News, NewsRefused, Outcome
from app.core import inbox
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading, table_of
from app.core.errors import NotFound
from app.core.events import tell
from app.core.ids import public_id
from app.merchants import contracts
from app.payments import dispute
from app.payments.effect import held_by_provider, revoked
from app.payments.match import is_early, match, or_our_cancellation
from app.payments.perform import apply_answer
from app.payments.prepare import fact
from app.payments.queries import CONTRACTS, OPERATIONS, Held, named_capture
from app.payments.record import record
from app.payments.states import FINAL

log = structlog.get_logger()

INBOX = table_of(inbox.InboxMessage)
_MOST_READS = 13  # the last one after 17 hours
_PATIENT_READS = 4  # so often in vain (two minutes), and staff are told

Fitted = Literal["booked", "early", "nothing"]


def receive(contract_id: UUID, provider: str, headers: dict[str, str], body: bytes) -> UUID:
    """Keeps a notification before anybody reads it. Returns its id. Raises NotFound for an unknown contract."""
    with reading(ALL) as connection:
        contract = connection.execute(
            select(CONTRACTS.c.merchant_id, CONTRACTS.c.live).where(
                CONTRACTS.c.id == contract_id, CONTRACTS.c.provider == provider
            )
        ).first()
    if contract is None:
        raise NotFound()
    with atomic(of(contract.merchant_id, contract.live)) as connection:
        return inbox.keep(
            connection,
            merchant_id=contract.merchant_id,
            live=contract.live,
            contract_id=contract_id,
            provider=provider,
            headers=headers,
            body=body,
        )


def read(message_id: UUID) -> None:
    """Reads a kept notification and books its facts, each in a transaction of its own.

    Raises NewsRefused when signature or form is wrong (the message is kept, marked refused), and whatever else stood
    in the way (kept, counted, and read again). Of a message that had been taken, staff are told in both cases.
    """
    with reading(ALL) as connection:
        message = dict(connection.execute(select(INBOX).where(INBOX.c.id == message_id)).mappings().one())
        contract = dict(
            connection.execute(select(CONTRACTS).where(CONTRACTS.c.id == message["contract_id"])).mappings().one()
        )
    if message["state"] == "refused":  # by whoever read another delivery of it at the same time
        raise NewsRefused(message["error"])
    if message["state"] == "read":
        return
    try:
        fitted = _book_all(message, contract)
    except NewsRefused as error:
        # At the door the provider reads of it, and strangers could make as many as they like.
        told = ("news.refused_later", {"why": str(error)[:200]}) if message["attempts"] else None
        _mark(message, "refused", str(error), told)
        raise
    except Exception as error:
        last_straw = message["attempts"] + 1 == _PATIENT_READS
        told = ("news.not_read", {"why": type(error).__name__}) if last_straw else None
        _mark(message, message["state"], type(error).__name__, told)
        raise
    _mark_fitted(message, fitted)


def _book_all(message: Mapping[str, Any], contract: Mapping[str, Any]) -> Mapping[str, Fitted]:
    """What became of each fact. Raises what the first fact raised that could not be booked, after trying all."""
    headers, body = inbox.opened(message["sealed"])
    read_news = CONNECTORS[contract["provider"]].read_news
    fitted: dict[str, Fitted] = {}
    failures: list[Exception] = []
    for news in read_news(contracts.opened(contract), headers, body, message["received_at"]):
        try:
            with atomic(of(message["merchant_id"], message["live"])) as connection:
                fitted[news.id] = _fit(connection, contract["id"], news)
        except Exception as error:
            log.error("fact_not_booked", provider=contract["provider"], news=news.id, error=type(error).__name__)
            failures.append(error)
    if failures:
        raise failures[0]
    return fitted


def _mark_fitted(message: Mapping[str, Any], fitted: Mapping[str, Fitted]) -> None:
    """What came too early is not worth telling, unless it goes on so."""
    left = [id_ for id_, what in fitted.items() if what != "booked"]
    early = "nothing" not in fitted.values() and message["attempts"] + 1 < _PATIENT_READS
    if left and early and message["state"] == "received":
        _mark(message, "received", "early: " + ", ".join(left))
    elif left:
        _mark(message, "unmatched", ", ".join(left), ("news.unmatched", {"news": left}))
    else:
        _mark(message, "read")


def _mark(
    message: Mapping[str, Any], state: str, error: str | None = None, told: tuple[str, Mapping[str, Any]] | None = None
) -> None:
    """`told`: the event for staff and what it says; that a message is unmatched is told once."""
    with atomic(of(message["merchant_id"], message["live"])) as connection:
        before = inbox.mark(connection, message["id"], state, error[:500] if error else None)
        if told and not before == state == "unmatched":
            name, data = told
            tell(
                name,
                subject=("inbox", message["id"]),
                merchant_id=message["merchant_id"],
                live=message["live"],
                audience="staff",
                data={"provider": message["provider"], **data},
                actor=f"provider:{message['provider']}",
            )


def book(connection: Connection, contract_id: UUID, news: News) -> bool:
    """Books one fact in the open transaction. False: it fits nothing here (and may be tried again later)."""
    return _fit(connection, contract_id, news) == "booked"


def _fit(connection: Connection, contract_id: UUID, news: News) -> Fitted:
    held = match(connection, contract_id, news)
    if held is None or _in_another_currency(held, news):
        return "nothing"
    if is_early(connection, held, news):
        return "early"
    if inbox.first_time(
        connection,
        merchant_id=held.payment["merchant_id"],
        live=held.payment["live"],
        contract_id=contract_id,
        news_id=news.id,
    ):
        _book(connection, held, news, f"provider:{held.contract['provider']}")
    return "booked"


def _book(connection: Connection, held: Held, news: News, actor: str) -> None:
    if news.dispute is not None:
        dispute.book(connection, held, news, actor)
        return
    if held.operation and _is_overtaken(held, news):
        log.info("news_overtaken", operation=public_id("op", held.operation["id"]), news=news.id)
        return
    if news.kind == "cancel" or news.released:
        _book_released(connection, or_our_cancellation(connection, held, news), news, actor)
    elif not held.operation:
        held = _book_foreign(connection, held, news, actor)
    elif held.operation["state"] == "succeeded" and news.outcome is Outcome.DECLINED:
        _revoke(connection, held, actor)
    else:
        apply_answer(connection, held, _answer(news), actor=actor)
    _remember(connection, held, news)


def _is_overtaken(held: Held, news: News) -> bool:
    """Has the provider told something newer that decided it? A yes from before its revocation changes nothing."""
    heard, at = held.operation["heard_at"], news.occurred_at
    return held.operation["state"] in FINAL and heard is not None and at is not None and at < heard


def _in_another_currency(held: Held, news: News) -> bool:
    """Its amount cannot be booked to this payment, whatever it is worth: a person reads it at the provider."""
    differs = news.currency is not None and news.currency != held.payment["currency"]
    if differs:
        payment, words = public_id("pay", held.payment["id"]), {"news": news.id, "currency": news.currency}
        log.error("news_in_another_currency", payment=payment, **words)
    return differs


def _remember(connection: Connection, held: Held, news: News) -> None:
    """The provider's own time of the newest yes or no, also of one that told us nothing new."""
    if held.operation and news.occurred_at and news.outcome in (Outcome.APPROVED, Outcome.DECLINED):
        mine = OPERATIONS.c.id == held.operation["id"]
        newest = func.greatest(OPERATIONS.c.heard_at, news.occurred_at)  # NULL is left out of it
        connection.execute(update(OPERATIONS).where(mine).values(heard_at=newest))


def _answer(news: News) -> Answer:
    return Answer(
        outcome=news.outcome,
        provider_reference=news.provider_reference,
        code=news.code,
        provider_code=news.provider_code,
        amount=news.amount,
    )


def _book_foreign(connection: Connection, held: Held, news: News, actor: str) -> Held:
    """Something done in the provider's own portal: a fact without an operation of ours.

    A no is written down too: its yes may be still on the way, and would be taken for money.
    """
    if news.kind == "authorise" or not news.amount or news.outcome not in (Outcome.APPROVED, Outcome.DECLINED):
        return held
    declined = news.outcome is Outcome.DECLINED
    if declined and not news.provider_reference:
        return held
    whose = {
        "reference": news.provider_reference,
        "capture_id": named_capture(connection, held, news.capture_reference) if news.kind == "refund" else None,
        "code": (news.code or DeclineCode.PROVIDER_DECLINED).value if declined else None,
    }
    held = fact(connection, held, news.kind, news.amount, **whose, actor=actor)
    if declined:
        _tell_refused_elsewhere(held, actor)
    else:
        apply_answer(connection, held, _answer(news), actor=actor)
    return held


def _tell_refused_elsewhere(held: Held, actor: str) -> None:
    operation = held.operation
    tell(
        "operation.refused_elsewhere",
        subject=("operation", operation["id"]),
        merchant_id=operation["merchant_id"],
        live=operation["live"],
        payment_id=operation["payment_id"],
        audience="staff",
        data={
            "operation": public_id("op", operation["id"]),
            "kind": operation["kind"],
            "amount": operation["amount"],
            "currency": operation["currency"],
            "code": operation["code"],
        },
        actor=actor,
    )


def _book_released(connection: Connection, held: Held, news: News, actor: str) -> None:
    """The provider let (the rest of) an authorisation go: a cancellation, never a refund."""
    if held.operation and held.operation["kind"] == "cancel":
        apply_answer(connection, held, _answer(news), actor=actor)
        return
    if held.operation and held.operation["kind"] == "authorise" and held.operation["state"] != "succeeded":
        apply_answer(connection, held, Answer(Outcome.DECLINED, code=news.code), actor=actor)
        return
    left = held_by_provider(held.authorisation)
    left = min(news.amount or left, left)
    if news.outcome is Outcome.APPROVED and left:
        held = fact(connection, held, "cancel", left, reference=news.provider_reference, actor=actor)
        apply_answer(connection, held, Answer(Outcome.APPROVED, amount=left), actor=actor)


def _revoke(connection: Connection, held: Held, actor: str) -> None:
    """A yes that the provider takes back: a capture that failed later, a refund that did not arrive."""
    if held.operation["kind"] in ("capture", "refund"):
        effect = revoked(held.operation["kind"], held.operation["booked_amount"], held.authorisation)
        record(connection, held, effect, actor=actor, values={"code": "revoked"})
        return
    log.error("news_contradicts", operation=public_id("op", held.operation["id"]), kind=held.operation["kind"])


def retry_unmatched(limit: int) -> int:
    """Tries again what fitted nothing (news may overtake the answer it belongs to), after pauses that double from half
    a minute to half a day, and what was never read. Returns how many were tried; one that fails holds up no other."""
    pauses = case((INBOX.c.attempts == 0, 0), else_=func.power(2, INBOX.c.attempts - 1))
    due = INBOX.c.received_at <= now() - pauses * timedelta(seconds=30)
    with reading(ALL) as connection:
        ids = (
            connection.execute(
                select(INBOX.c.id)
                .where(INBOX.c.state.in_(("received", "unmatched")), INBOX.c.attempts < _MOST_READS, due)
                .order_by(INBOX.c.received_at)
                .limit(limit)
            )
            .scalars()
            .all()
        )
    for message_id in ids:
        try:
            read(message_id)
        except Exception as error:
            log.warning("news_not_read", message=str(message_id), error=type(error).__name__)
    return len(ids)
