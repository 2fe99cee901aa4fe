"""Facts from providers: kept raw, read, matched to an operation, booked. The same news twice changes nothing."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import Connection, case, func, select

from app.connectors import CONNECTORS
from app.connectors.kinds import Answer, News, NewsRefused, Outcome
from app.core import inbox
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading, table_of
from app.core.errors import NotFound
from app.core.events import tell
from app.core.ids import parse_id, public_id
from app.merchants import contracts
from app.payments import dispute
from app.payments.effect import held_by_provider, revoked
from app.payments.perform import apply_answer
from app.payments.prepare import fact
from app.payments.queries import (
    AUTHORISATIONS,
    CONTRACTS,
    OPERATIONS,
    Held,
    held_authorisation,
    held_operation,
)
from app.payments.record import record

log = structlog.get_logger()

INBOX = table_of(inbox.InboxMessage)
_MOST_READS = 13  # the last one after 17 hours


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

    Raises NewsRefused when signature or form is wrong (the message is kept, marked refused).
    """
    with reading(ALL) as connection:
        message = connection.execute(select(INBOX).where(INBOX.c.id == message_id)).mappings().one()
        contract = dict(
            connection.execute(select(CONTRACTS).where(CONTRACTS.c.id == message["contract_id"])).mappings().one()
        )
    if message["state"] in ("read", "refused"):
        return
    scope = of(message["merchant_id"], message["live"])
    headers, body = inbox.opened(message["sealed"])
    try:
        facts = CONNECTORS[contract["provider"]].read_news(contracts.opened(contract), headers, body)
    except NewsRefused as error:
        with atomic(scope) as connection:
            inbox.mark(connection, message_id, "refused", str(error)[:500])
        raise
    unmatched = []
    for news in facts:
        with atomic(scope) as connection:
            if not book(connection, contract["id"], news):
                unmatched.append(news.id)
    with atomic(scope) as connection:
        inbox.mark(connection, message_id, "unmatched" if unmatched else "read", ", ".join(unmatched)[:500] or None)
        if unmatched:
            tell(
                "news.unmatched",
                subject=("inbox", message_id),
                merchant_id=message["merchant_id"],
                live=message["live"],
                audience="staff",
                data={"provider": contract["provider"], "news": unmatched},
                actor=f"provider:{contract['provider']}",
            )


def book(connection: Connection, contract_id: UUID, news: News) -> bool:
    """Books one fact in the open transaction. False: it fits nothing here (and may be tried again later)."""
    held = _find(connection, contract_id, news)
    if held is None or _overtook_its_yes(held, news):
        return False
    if not inbox.first_time(
        connection,
        merchant_id=held.payment["merchant_id"],
        live=held.payment["live"],
        contract_id=contract_id,
        news_id=news.id,
    ):
        return True
    actor = f"provider:{held.contract['provider']}"
    if news.dispute is not None:
        dispute.book(connection, held, news, actor)
    elif news.kind == "cancel" or news.released:
        _book_released(connection, held, news, actor)
    elif not held.operation:
        _book_foreign(connection, held, news, actor)
    elif held.operation["state"] == "succeeded" and news.outcome is Outcome.DECLINED:
        _revoke(connection, held, actor)
    else:
        apply_answer(connection, held, _answer(news), actor=actor)
    return True


def _overtook_its_yes(held: Held, news: News) -> bool:
    """Lets go what nobody has told us yet to be reserved: it is read again when that is known."""
    lets_go = news.kind == "cancel" or bool(news.released)
    return lets_go and not held.operation and held.authorisation["authorised"] == 0


def _find(connection: Connection, contract_id: UUID, news: News) -> Held | None:
    """By our key, by the operation's reference, or by the authorisation's (then without an operation)."""
    if news.operation_key:
        try:
            return held_operation(connection, parse_id("op", news.operation_key))
        except NotFound:
            pass  # a key that is not ours, or another merchant's: look on
    if news.provider_reference and news.dispute is None:
        kinds = {"dispute": "chargeback"}.get(news.kind, news.kind)
        found = connection.execute(
            select(OPERATIONS.c.id).where(
                OPERATIONS.c.contract_id == contract_id,
                OPERATIONS.c.provider_reference == news.provider_reference,
                OPERATIONS.c.kind == kinds,
            )
        ).scalar()
        if found is not None:
            return held_operation(connection, found)
    reference = news.authorisation_reference or (news.provider_reference if news.kind == "authorise" else None)
    return _by_authorisation(connection, contract_id, reference) if reference else None


def _by_authorisation(connection: Connection, contract_id: UUID, reference: str) -> Held | None:
    authorisation = connection.execute(
        select(AUTHORISATIONS.c.id).where(
            AUTHORISATIONS.c.contract_id == contract_id, AUTHORISATIONS.c.provider_reference == reference
        )
    ).scalar()
    if authorisation is None:  # disputes may name the capture instead
        authorisation = connection.execute(
            select(OPERATIONS.c.authorisation_id).where(
                OPERATIONS.c.contract_id == contract_id, OPERATIONS.c.provider_reference == reference
            )
        ).scalar()
    return held_authorisation(connection, authorisation) if authorisation is not None else None


def _answer(news: News) -> Answer:
    return Answer(
        outcome=news.outcome,
        provider_reference=news.provider_reference,
        code=news.code,
        provider_code=news.provider_code,
        amount=news.amount,
    )


def _book_foreign(connection: Connection, held: Held, news: News, actor: str) -> None:
    """Something done in the provider's own portal: a fact without an operation of ours."""
    if news.kind == "authorise" or news.outcome is not Outcome.APPROVED or not news.amount:
        return
    held = fact(connection, held, news.kind, news.amount, reference=news.provider_reference, actor=actor)
    apply_answer(connection, held, _answer(news), actor=actor)


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
    a minute to half a day, and what was never read. Returns how many were read."""
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
        except NewsRefused:
            continue
    return len(ids)
