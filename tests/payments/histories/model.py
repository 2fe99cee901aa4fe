"""What a payment must look like, worked out in the simplest way: a small model that knows nothing of our code.

It is told what was asked and what was heard, keeps whole operations instead of running sums, and adds them up anew
whenever somebody asks. Amounts are minor units.
"""

from dataclasses import dataclass, field

OPEN = ("created", "pending_approval", "submitted", "action", "pending", "unknown")
NOUNS = {
    "authorise": "authorisation",
    "capture": "capture",
    "cancel": "cancellation",
    "refund": "refund",
    "chargeback": "chargeback",
    "reversal": "chargeback_reversal",
}
WORDS = {
    "pending_approval": "approval_requested",
    "submitted": "submitted",
    "succeeded": "succeeded",
    "declined": "declined",
    "failed": "failed",
    "pending": "pending",
    "action": "action_required",
    "unknown": "outcome_unknown",
}


@dataclass(eq=False)
class Attempt:
    """One authorisation. `open`: what commands work on. `known`: by its provider's reference."""

    id: str
    place: int  # at which of the acquirers
    open: bool
    held: bool = False
    known: bool = False
    store: bool = False  # its card is to be kept
    replaces: "Attempt | None" = None


@dataclass(eq=False)
class Op:
    id: str
    kind: str
    attempt: Attempt
    amount: int
    state: str
    booked: int = 0
    released: int = 0  # the rest that a capture let go
    waits: bool = False  # for the payer, or for what became of their visit
    returned: bool = False  # the payer came back, and what they brought is kept
    gives_back: bool = False  # what a late yes reserved
    silent: int = 0  # moves that tell nobody
    told: int = 0

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


@dataclass(eq=False)
class Quarrel:
    """A dispute as our books have it. `at`: when the newest turn that we know of happened; `new`: what of its amount
    had not gone back to the payer before, and so is lost with it."""

    state: str
    amount: int
    at: int
    new: int = 0


@dataclass(eq=False)
class Expected:
    """One payment."""

    amount: int
    stage: str = "created"
    attempts: list[Attempt] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    events: list[str] = field(default_factory=lambda: ["payment.created"])
    quarrels: dict[str, Quarrel] = field(default_factory=dict)  # by the acquirer's reference

    # Sums

    def of(self, kind: str, attempt: Attempt | None = None) -> list[Op]:
        return [op for op in self.ops if op.kind == kind and attempt in (None, op.attempt)]

    def done(self, kind: str, attempt: Attempt | None = None) -> int:
        return sum(op.booked for op in self.of(kind, attempt) if op.state == "succeeded")

    def pending(self, kind: str, attempt: Attempt | None = None) -> int:
        return sum(op.amount for op in self.of(kind, attempt) if op.is_open)

    def sums(self, attempt: Attempt | None = None) -> dict[str, int]:
        """Of one attempt, or of the payment."""
        if attempt is None:
            each = [self.sums(one) for one in self.attempts]
            return {name: sum(one[name] for one in each) for name in NO_SUMS}
        released = sum(op.released for op in self.of("capture", attempt) if op.state == "succeeded")
        sums = {
            "authorised": self.done("authorise", attempt),
            "captured": self.done("capture", attempt),
            "capture_pending": self.pending("capture", attempt),
            "cancelled": self.done("cancel", attempt) + released,
            "cancel_pending": self.pending("cancel", attempt),
            "refunded": self.done("refund", attempt),
            "refund_pending": self.pending("refund", attempt),
            "charged_back": self.done("chargeback", attempt) - self.done("reversal", attempt),
        }
        taken = sums["captured"] + sums["capture_pending"] + sums["cancelled"] + sums["cancel_pending"]
        returned = sums["refunded"] + sums["refund_pending"] + sums["charged_back"]
        return {
            **sums,
            "over_captured": max(0, taken - sums["authorised"]),
            "over_returned": max(0, returned - sums["captured"]),
        }

    def left_to_capture(self, attempt: Attempt) -> int:
        sums = self.sums(attempt)
        taken = sums["captured"] + sums["capture_pending"] + sums["cancelled"] + sums["cancel_pending"]
        return max(0, sums["authorised"] - taken)

    def holds(self, attempt: Attempt) -> int:
        """What its acquirer still reserves, as far as we know: nothing can be released that has lapsed before."""
        sums = self.sums(attempt)
        return max(0, sums["authorised"] - sums["captured"] - sums["cancelled"])

    def left_to_refund(self) -> int:
        """Over all attempts, each for itself: what one has given back too often cannot be taken from another."""
        each = [self.sums(attempt) for attempt in self.attempts]
        return sum(max(0, s["captured"] - s["refunded"] - s["refund_pending"] - s["charged_back"]) for s in each)

    @property
    def open_attempt(self) -> Attempt | None:
        return next((attempt for attempt in self.attempts if attempt.open), None)

    @property
    def status(self) -> str:
        sums = self.sums()
        if sums["captured"]:
            if sums["charged_back"]:
                return "charged_back"
            if sums["refunded"]:
                return "refunded" if sums["refunded"] >= sums["captured"] else "partially_refunded"
            return "captured" if sums["captured"] + sums["cancelled"] >= sums["authorised"] else "partially_captured"
        return "authorised" if sums["authorised"] > sums["cancelled"] else self.stage

    @property
    def disputed(self) -> bool:
        return any(quarrel.state in ("inquiry", "charged_back") for quarrel in self.quarrels.values())

    @property
    def taken(self) -> bool:
        """By a bank that has not decided yet."""
        return any(quarrel.state == "charged_back" for quarrel in self.quarrels.values())

    @property
    def lost(self) -> int:
        return sum(quarrel.new for quarrel in self.quarrels.values() if quarrel.state == "lost")

    # What happens

    def begins(self, op: Op) -> None:
        """A command was written down."""
        self.ops.append(op)
        self._tell(op, op.state)
        if op.kind == "authorise" and op.attempt.replaces is None:
            self.stage = "pending"

    def hears(self, op: Op, to: str, *, amount: int | None = None, released: int = 0, lapsed: bool = False) -> bool:
        """An answer, or news. The first final word stands, but a yes after a no is booked.

        True: a yes that came too late, and has to be given back.
        """
        late_yes = op.state in ("declined", "failed") and to == "succeeded"
        if op.state == to or not (op.is_open or late_yes):
            return False
        if to == "pending" and op.waits and op.state in ("action", "unknown"):
            return False  # they have done their part at the bank; somebody has to fetch the outcome
        attempt = op.attempt
        too_late = op.kind == "authorise" and to == "succeeded" and self._is_late(attempt)
        op.state = to
        self._tell(op, to)
        if to == "succeeded":
            op.booked = op.amount if amount is None else amount
            op.released = max(0, min(released, self.holds(attempt)))
        if op.kind == "authorise":
            op.waits = to == "action" or (to == "unknown" and op.waits)
            self._attempt_went(attempt, to, too_late)
        elif op.kind == "cancel" and to == "succeeded":
            self._all_gone(attempt, "expired" if lapsed else "cancelled")
        return too_late

    def _is_late(self, attempt: Attempt) -> bool:
        """Does nobody wait for it any more? For a renewal: nobody, once what it renews has nothing to capture."""
        over = self.stage in ("cancelled", "expired")
        if attempt.replaces is not None:
            return over or not attempt.replaces.open or self.left_to_capture(attempt.replaces) == 0
        return over or not attempt.open

    def _attempt_went(self, attempt: Attempt, to: str, too_late: bool) -> None:
        renewal = attempt.replaces is not None
        if to == "succeeded":
            attempt.open = not too_late
            if not too_late:
                self.stage = "authorised"
            return
        if to in ("declined", "failed"):
            attempt.open = False
        if not renewal:
            self.stage = {"action": "requires_action", "declined": "failed", "failed": "failed"}.get(to, "pending")

    def _all_gone(self, attempt: Attempt, stage: str) -> None:
        """Nothing is reserved any more and nothing was captured: the attempt is over, and the payment if it was its."""
        sums = self.sums(attempt)
        if sums["captured"] + sums["capture_pending"] == 0 and sums["cancelled"] >= sums["authorised"]:
            if attempt.open:
                self.stage = stage
            attempt.open = False

    def abandoned(self, op: Op, stage: str) -> None:
        """The payer's attempt is closed for them: by the merchant, or because they try anew."""
        op.state, op.waits, op.attempt.open, self.stage = "declined", False, False, stage
        self._tell(op, "declined")

    def closed(self, stage: str) -> None:
        """Nothing was reserved and nobody was asked: it ends without a call."""
        self.stage = stage
        self.events.append(f"payment.{stage}")

    def comes_back(self, op: Op, *, with_proof: bool) -> None:
        """The payer is back from their bank, and the bank is asked."""
        op.state, op.silent, op.returned = "submitted", op.silent + 1, op.returned or with_proof

    def renewed(self, left: Op) -> None:
        """A new authorisation takes the old one's place, and what was left of that one is released."""
        stage = self.stage
        self.fact(left)
        left.attempt.open, self.stage = False, stage

    def renewals(self, attempt: Attempt) -> list[Op]:
        return [op for one in self.attempts if one.replaces is attempt for op in self.of("authorise", one)]

    def fact(self, op: Op, *, lapsed: bool = False) -> None:
        """Something nobody here commanded: booked as it is."""
        op.state = "declined"
        self.ops.append(op)
        self.hears(op, "succeeded", lapsed=lapsed)

    def refused_elsewhere(self, op: Op) -> None:
        """Tried in the portal, and refused: written down, so that nothing older is taken for a yes."""
        op.state = "declined"
        self.ops.append(op)
        self.events.append("operation.refused_elsewhere")

    def sent_back(self, op: Op, word: str) -> None:
        """A late yes: its cancellation is written down, to be sent; and again if it could not be sent."""
        op.gives_back = True
        self.ops.append(op)
        self.events.append(word)

    def passed_on(self, op: Op) -> None:
        """Provably not sent, and the next acquirer is asked: nobody is told that it failed."""
        op.state, op.attempt.open = "failed", False
        op.told += 1
        self.events.append("authorisation.passed_on")

    def withdrawn(self, op: Op) -> None:
        """Nobody approved it."""
        op.state = "failed"
        op.told += 1
        self.events.append(f"{NOUNS[op.kind]}.withdrawn")

    def sends(self, op: Op) -> None:
        op.state = "submitted"
        self._tell(op, "submitted")

    def _tell(self, op: Op, word: str) -> None:
        op.told += 1
        self.events.append(f"{NOUNS[op.kind]}.{WORDS[word]}")


NO_SUMS = (
    *("authorised", "captured", "capture_pending", "cancelled", "cancel_pending"),
    *("refunded", "refund_pending", "charged_back", "over_captured", "over_returned"),
)
