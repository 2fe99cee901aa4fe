"""The acquirer's memory. Journal lines are its only way to change, so a restart that reads the journal
again remembers exactly what the process before it knew.

Amounts are minor units, times seconds since 1970 by the acquirer's own clock.
"""

import time
from dataclasses import dataclass, field

from sandbox.acquirers.cards import CARD_BY_NAME, PublishedCard
from sandbox.acquirers.journal import Journal, Line

_PENDING_OF = {"capture": "capture_pending", "refund": "refund_pending", "cancel": "cancel_pending"}
_DONE_OF = {"capture": "captured", "refund": "refunded", "cancel": "cancelled"}


@dataclass(slots=True)
class Authorisation:
    """What is reserved on a card, and what became of it."""

    id: str
    token: str
    card: PublishedCard
    last4: str
    brand: str
    amount: int
    currency: str
    reference: str
    expires_at: float
    news_url: str | None
    captured: int = 0
    capture_pending: int = 0
    refunded: int = 0
    refund_pending: int = 0
    cancelled: int = 0
    cancel_pending: int = 0
    charged_back: int = 0
    renewed: bool = False  # a later authorisation took its place
    captures: int = 0
    turns: list[str] = field(default_factory=list)  # of its dispute

    @property
    def left(self) -> int:
        """May still be captured or cancelled."""
        taken = self.captured + self.capture_pending + self.cancelled + self.cancel_pending
        return 0 if self.renewed else self.amount - taken

    @property
    def refundable(self) -> int:
        return self.captured - self.refunded - self.refund_pending - self.charged_back


@dataclass(slots=True)
class Operation:
    """`state`: approved, declined, pending or action. `mark` is a keyed fingerprint of the request, so
    that the same key with another body is noticed. `outcome` is how a pending one or a challenge ends."""

    id: str
    verb: str
    key: str
    mark: str
    amount: int
    currency: str
    at: float
    state: str
    reason: str | None = None
    outcome: str = "approve"
    news: str | None = None
    released: int = 0
    capture: bool = False
    final: bool = False
    token: str | None = None
    acs: str | None = None
    return_url: str = ""
    decision: str | None = None
    authorisation: Authorisation | None = None


class Book:
    def __init__(self, journal: Journal) -> None:
        self.operations: dict[str, Operation] = {}
        self.by_key: dict[str, Operation] = {}
        self.by_acs: dict[str, Operation] = {}
        self.tokens: dict[str, PublishedCard] = {}
        self.clock_offset = 0.0
        self._journal = journal
        for line in journal.past:
            self._apply(line)
        journal.past.clear()

    def now(self) -> float:
        return time.time() + self.clock_offset

    def record(self, done: str, **line: object) -> None:
        """Writes one journal line and then does what it says."""
        whole: Line = {"done": done, "at": round(self.now(), 3), **line}
        self._journal.write(whole)
        self._apply(whole)

    def authorisation(self, id: str) -> Authorisation | None:
        operation = self.operations.get(id)
        return operation.authorisation if operation and operation.verb == "authorise" else None

    def _apply(self, line: Line) -> None:
        done = line["done"]
        if done == "challenge_answered":
            self.operations[line["id"]].decision = line["decision"]
        elif done in ("inquiry", "charged_back", "reversed", "lost"):
            self._apply_dispute(line)
        elif done == "refused_unseen":
            self.by_key[line["key"]] = Operation(
                line["id"], "unseen", line["key"], "", 0, "", line["at"], "declined", reason="never_arrived"
            )
        elif done == "clock_moved":
            self.clock_offset = line["offset"]
        else:
            self._apply_operation(done, line)

    def _apply_operation(self, done: str, line: Line) -> None:
        operation = self.operations.get(line["id"]) or self._new_operation(line)
        was, operation.state = operation.state, _STATE_OF.get(done, "approved")
        operation.reason = line.get("reason")
        operation.released = line.get("released", 0)
        authorisation = operation.authorisation
        if authorisation and "expires_at" in line:
            authorisation.expires_at = line["expires_at"]
        if authorisation and operation.verb in _DONE_OF:
            if operation.state == "pending":
                _add(authorisation, _PENDING_OF[operation.verb], operation.amount)
            elif was == "pending":
                _add(authorisation, _PENDING_OF[operation.verb], -operation.amount)
            if operation.state == "approved":
                _add(authorisation, _DONE_OF[operation.verb], operation.amount)
                authorisation.cancelled += operation.released
                authorisation.captures += operation.verb == "capture"
        if done == "authorised" and "renews" in line:
            renewed = self.authorisation(line["renews"])
            assert renewed
            renewed.renewed = True

    def _new_operation(self, line: Line) -> Operation:
        """`line["card"]` names the published card; `line["token"]` is its keyed fingerprint."""
        operation = Operation(
            id=line["id"],
            verb=line["verb"],
            key=line["key"],
            mark=line["mark"],
            amount=line["amount"],
            currency=line["currency"],
            at=line["at"],
            state="",
            outcome=line.get("outcome", "approve"),
            news=line.get("news"),
            capture=line.get("capture", False),
            final=line.get("final", False),
            acs=line.get("acs"),
            return_url=line.get("return_url", ""),
        )
        self.operations[operation.id] = operation
        if not line.get("with_authorise"):
            self.by_key[operation.key] = operation
        if operation.acs:
            self.by_acs[operation.acs] = operation
        if line["verb"] in ("authorise", "register"):
            self._note_card(operation, line)
        else:
            operation.authorisation = self.authorisation(line["authorisation"])
        return operation

    def _note_card(self, operation: Operation, line: Line) -> None:
        if line.get("stored"):
            self.tokens[line["token"]] = CARD_BY_NAME[line["card"]]
            operation.token = line["token"]
        operation.authorisation = Authorisation(
            id=line["id"],
            token=line["token"],
            card=CARD_BY_NAME[line["card"]],
            last4=line["last4"],
            brand=line["brand"],
            amount=line["amount"],
            currency=line["currency"],
            reference=line.get("reference", ""),
            expires_at=0.0,
            news_url=line.get("news_url"),
        )

    def _apply_dispute(self, line: Line) -> None:
        authorisation = self.authorisation(line["authorisation"])
        assert authorisation
        authorisation.turns.append(line["done"])
        if line["done"] == "charged_back":
            authorisation.charged_back += line["amount"]
        elif line["done"] == "reversed":
            authorisation.charged_back -= line["amount"]


_STATE_OF = {"declined": "declined", "accepted": "pending", "challenged": "action"}


def _add(authorisation: Authorisation, name: str, amount: int) -> None:
    setattr(authorisation, name, getattr(authorisation, name) + amount)
