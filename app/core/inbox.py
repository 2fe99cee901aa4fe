"""The inbox: what providers send us is kept raw (sealed) before anybody tries to understand it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Index, LargeBinary, UniqueConstraint, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core import vault
from app.core.clock import now
from app.core.db import Model, OfMerchant
from app.core.ids import uuid7


class InboxMessage(Model, OfMerchant):
    """`state`: received, read, refused (wrong signature or form) or unmatched (a fact that fits nothing here).

    `attempts` counts readings, `error` says what stood in the way of the last one.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("contract_id", "digest"),
        Index("ix_inbox_received_at", "received_at", postgresql_using="brin"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    contract_id: Mapped[UUID]
    provider: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=vault.sealed("inbox.sealed"))
    state: Mapped[str]
    error: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime]


class Fact(Model, OfMerchant):
    """One fact of a message that was booked: unique per contract, so the same news twice changes nothing."""

    __tablename__ = "inbox_facts"
    contract_id: Mapped[UUID] = mapped_column(primary_key=True)
    news_id: Mapped[str] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID]
    live: Mapped[bool]
    recorded_at: Mapped[datetime]


def keep(
    connection: Connection,
    *,
    merchant_id: UUID,
    live: bool,
    contract_id: UUID,
    provider: str,
    headers: Mapping[str, str],
    body: bytes,
) -> UUID:
    """Stores a message once and returns its id (the earlier one's, if the same bytes came before).

    One that was refused and comes again gets a new chance with the headers of now: the provider may have signed it
    anew, or somebody has put the contract's secret right.
    """
    digest = hashlib.sha256(body).digest()
    message_id = uuid7()
    now_kept = {
        "sealed": vault.seal_json({"headers": dict(headers), "body": body.decode("latin-1")}, "inbox.sealed"),
        "state": "received",
        "attempts": 0,
        "error": None,
        "received_at": now(),
    }
    stored = connection.execute(
        insert(InboxMessage)
        .values(
            id=message_id,
            merchant_id=merchant_id,
            live=live,
            contract_id=contract_id,
            provider=provider,
            digest=digest,
            **now_kept,
        )
        .on_conflict_do_update(
            index_elements=[InboxMessage.contract_id, InboxMessage.digest],
            set_=now_kept,
            where=InboxMessage.state == "refused",
        )
        .returning(InboxMessage.id)
    ).scalar()
    if stored is not None:
        return stored
    return connection.execute(
        select(InboxMessage.id).where(InboxMessage.contract_id == contract_id, InboxMessage.digest == digest)
    ).scalar_one()


def opened(sealed: bytes) -> tuple[dict[str, str], bytes]:
    """Headers (lower-case names) and body of a kept message."""
    message = vault.unseal_json(sealed, "inbox.sealed")
    return message["headers"], message["body"].encode("latin-1")


def mark(connection: Connection, message_id: UUID, state: str, error: str | None = None) -> str:
    """Counts a reading and says what came of it. Returns the state before."""
    mine = InboxMessage.id == message_id
    before = connection.execute(select(InboxMessage.state).where(mine).with_for_update()).scalar_one()
    connection.execute(
        update(InboxMessage).where(mine).values(state=state, error=error, attempts=InboxMessage.attempts + 1)
    )
    return before


def first_time(connection: Connection, *, merchant_id: UUID, live: bool, contract_id: UUID, news_id: str) -> bool:
    """True exactly once per fact; the row lives and dies with the transaction that books it."""
    return bool(
        connection.execute(
            insert(Fact)
            .values(contract_id=contract_id, news_id=news_id, merchant_id=merchant_id, live=live, recorded_at=now())
            .on_conflict_do_nothing()
            .returning(Fact.news_id)
        ).first()
    )
