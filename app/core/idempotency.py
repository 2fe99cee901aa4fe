"""Idempotency keys: the same request twice does its work once.

The key's row is written in the transaction that prepares the work and points at the thing it made, so
there is never a key without its operation. The answer to a repetition is rendered from that thing as it
is now, also after a crash. (IETF draft-ietf-httpapi-idempotency-key-header; behaviour as at Stripe.)
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Index, LargeBinary, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.config import settings
from app.core.clock import now
from app.core.db import Model, OfMerchant
from app.core.errors import Conflict, Refusal
from app.core.fast import Statement
from app.core.texts import N_


class IdempotencyKey(Model, OfMerchant):
    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at", postgresql_using="brin"),)
    merchant_id: Mapped[UUID] = mapped_column(primary_key=True)
    live: Mapped[bool] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    created_at: Mapped[datetime]


_TAKE = Statement(
    text(
        "INSERT INTO idempotency_keys (merchant_id, live, key, fingerprint, subject_type, subject_id, created_at)"
        " VALUES (:merchant_id, :live, :key, :fingerprint, :subject_type, :subject_id, :created_at)"
        " ON CONFLICT DO NOTHING RETURNING key"
    )
)


@dataclass(frozen=True, slots=True)
class Once:
    """A caller's wish that its request is done once. `body` is fingerprinted with a key, never stored."""

    key: str
    route: str
    body: bytes

    @property
    def fingerprint(self) -> bytes:
        return hmac.digest(
            settings().keys.blind, b"idempotency\0" + self.route.encode() + b"\0" + self.body, hashlib.sha256
        )


class Repeated(Exception):
    """This key was used for the same request before: render `subject` as it is now."""

    def __init__(self, subject_type: str, subject_id: UUID) -> None:
        self.subject_type = subject_type
        self.subject_id = subject_id


class KeyReused(Refusal):
    code = "idempotency_key_reused"
    message = N_("This Idempotency-Key was used with another request.")
    advice = N_("Use a new key for a new request; repeat a request with exactly the same body.")


class StillRunning(Conflict):
    code = "still_running"
    message = N_("The first request with this Idempotency-Key is still running.")
    advice = N_("Repeat it after the seconds in Retry-After.")


def claim(connection: Connection, once: Once | None, merchant_id: UUID, live: bool, subject: tuple[str, UUID]) -> None:
    """Takes the key for `subject` in this transaction. Raises Repeated or KeyReused, which roll it back whole.

    Before anything that may refuse: what was done would stand in its own way when it is asked for again.
    """
    if once is None:
        return
    row = {
        "merchant_id": merchant_id,
        "live": live,
        "key": once.key,
        "fingerprint": once.fingerprint,
        "subject_type": subject[0],
        "subject_id": subject[1],
        "created_at": now(),
    }
    if not _TAKE.row(connection, row):
        recall(connection, once, merchant_id, live)


def recall(connection: Connection, once: Once | None, merchant_id: UUID, live: bool) -> None:
    """Takes nothing. Raises Repeated or KeyReused if the key was used before."""
    if once is None:
        return
    earlier = connection.execute(
        select(IdempotencyKey.fingerprint, IdempotencyKey.subject_type, IdempotencyKey.subject_id).where(
            IdempotencyKey.merchant_id == merchant_id, IdempotencyKey.live == live, IdempotencyKey.key == once.key
        )
    ).first()
    if earlier is None:
        return
    if not hmac.compare_digest(earlier.fingerprint, once.fingerprint):
        raise KeyReused(param="Idempotency-Key")
    raise Repeated(earlier.subject_type, earlier.subject_id)
