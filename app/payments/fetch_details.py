"""`fetch_details()`: a card is to be kept and only a notification said yes: the provider is asked for its token."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, update

from app.connectors import CONNECTORS
from app.connectors.kinds import Answer, Outcome, Resume
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.core.ids import public_id
from app.core.logs import about_payment
from app.payments.attempt import Means, ask
from app.payments.perform import call, record_answer, returned
from app.payments.prepare import LEASE
from app.payments.queries import OPERATIONS, Held, read_operation
from app.payments.resolve import enquiry

log = structlog.get_logger()

_ACTOR = "job:fetch_details"
_FIRST_PAUSE, _GIVE_UP_AFTER = timedelta(seconds=10), timedelta(hours=24)
_WANTED = (OPERATIONS.c.state == "succeeded", OPERATIONS.c.enquire_at.is_not(None))


def fetch_details(limit: int) -> int:
    """Asks about up to `limit` authorisations. Returns how many were asked about."""
    claimed = _claim(limit)
    for row in claimed:
        try:
            _fetch(row.id, row.merchant_id, row.live)
        except Exception as error:
            log.error("details_not_fetched", operation=public_id("op", row.id), error=type(error).__name__)
    return len(claimed)


def _claim(limit: int) -> Sequence[Any]:
    """The claim is a lease of 60 s, and pauses grow as long as the waiting has lasted, for a day."""
    claimable = (
        select(OPERATIONS.c.id)
        .where(*_WANTED, OPERATIONS.c.enquire_at <= now())
        .order_by(OPERATIONS.c.enquire_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    with atomic(ALL) as connection:
        return connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.id.in_(claimable))
            .values(enquire_at=now() + LEASE)
            .returning(OPERATIONS.c.id, OPERATIONS.c.merchant_id, OPERATIONS.c.live)
        ).all()


def _fetch(operation_id: UUID, merchant_id: UUID, live: bool) -> None:
    with reading(of(merchant_id, live)) as connection:
        held = read_operation(connection, operation_id)
    with about_payment(public_id("pay", held.payment["id"])):
        answer = _asked(held)
        kept = False
        if answer is not None and answer.outcome is Outcome.APPROVED:
            mine = {"merchant_id": merchant_id, "live": live}
            record_answer(**mine, operation_id=operation_id, answer=answer, actor=_ACTOR)
            kept = answer.token is not None
        if not kept:
            _later(held)


def _asked(held: Held) -> Answer | None:
    """What the provider says of it, or what the payer's way back brings, where only that can be asked with."""
    answer = None
    if CONNECTORS[held.contract["provider"]].CAN.resolve["authorise"] != "by_news":
        answer = call(held.contract, "enquire", enquiry(held, None))
    brought = returned(held.operation)
    if brought and (answer is None or answer.outcome is not Outcome.APPROVED):
        reference = held.operation["provider_reference"] or held.authorisation["provider_reference"] or ""
        means = Means(method=held.authorisation["method"], store=True)
        asked = ask(held.payment, held.operation, means, None, Resume(provider_reference=reference, parameters=brought))
        answer = call(held.contract, "authorise", asked)
    return answer


def _later(held: Held) -> None:
    operation = held.operation
    waited = now() - operation["updated_at"]
    again = now() + max(_FIRST_PAUSE, waited) if waited < _GIVE_UP_AFTER else None
    if again is None:
        log.error("card_not_kept", operation=public_id("op", operation["id"]), provider=held.contract["provider"])
    with atomic(of(operation["merchant_id"], operation["live"])) as connection:
        mine = OPERATIONS.c.id == operation["id"]
        connection.execute(update(OPERATIONS).where(mine, *_WANTED).values(enquire_at=again))
