"""What a risk check gets and answers, and what a step asks the payer.

To add one, add a file to `checks/` or `steps/`.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection

from app.core.fields import Field


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


@dataclass(frozen=True, slots=True)
class Taken:
    """What the payer typed into a step. `wrong`: field -> English sentence that says what to do."""

    answer: Mapping[str, str] = field(repr=False, default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(repr=False, default_factory=dict)  # what may be shown again


class Step(Protocol):
    """Something the payer is asked for on a hosted page of its own, before the payment goes on."""

    @property
    def TITLE(self) -> str: ...
    @property
    def LEAD(self) -> str: ...  # one sentence: why
    @property
    def FIELDS(self) -> tuple[Field, ...]: ...
    def read(self, typed: Mapping[str, str], today: date) -> Taken: ...
