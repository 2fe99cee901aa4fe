"""What a risk check gets and answers. To add a check, add a file to `checks/`."""

import enum
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection


class Verdict(enum.StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    REVIEW = "review"  # authorise, but hold the capture
    ASK = "ask"  # a step the payer must take first


@dataclass(frozen=True, slots=True)
class Subject:
    """What is assessed. `card_fingerprint` is the keyed hash of a card number."""

    merchant_id: UUID
    live: bool
    payment_id: UUID
    method: str
    amount: int
    currency: str
    email: str | None = None
    ip_address: str | None = None
    card_fingerprint: bytes | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer. `step` names the page to show when the verdict is ASK."""

    verdict: Verdict
    reason: str = ""
    step: str | None = None


class Check(Protocol):
    @property
    def ORDER(self) -> int: ...  # cheap checks first
    def check(self, connection: Connection, subject: Subject) -> Finding: ...
