"""One history: a payment, the model beside it, and how the two are kept in step."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine, invariant

from app.core.clock import business_now
from app.core.db import atomic, of
from app.core.errors import Refusal
from app.core.idempotency import Once
from app.core.ids import public_id
from app.payments.start import start
from tests import factories
from tests.payments.histories import finish
from tests.payments.histories.desks import SteeredAcquirer
from tests.payments.histories.look import Row, Seen, compare, look
from tests.payments.histories.model import Attempt, Expected, Op
from tests.payments.histories.world import DEATHS, LOST, Business, Died, World

LETTERS = ("A", "B", "B", "C", "D", "E", "AB", "BA", "EB")
# The last four digits steer an acquirer: declined, done later, declined later. The others are ordinary.
STEERING = (6601, 6607, 6608)
AMOUNTS = (5_000, 20_000, 20_000, 26_404, 40_000, *STEERING)

Call = Callable[[Once], Any]
WORDS = {"approved": "succeeded", "declined": "declined", "pending": "pending", "action": "action"}


@dataclass(frozen=True)
class Made:
    """A request that was written down, to be repeated."""

    call: Call
    once: Once


class History(RuleBasedStateMachine):
    world: ClassVar[World]
    began = False
    refused = False  # was the last command?

    def begin(self, letters: str, amount: int, mode: Any, review: bool, honour_days: int | None) -> None:
        self.world.new_history()
        self._context = self.world.app.app_context()
        self._context.push()
        self.mode, self.review = mode, review
        self.business: Business = self.world.business(
            letters, review_above=amount - 1 if review else None, honour_days=honour_days
        )
        self.offset = 0  # seconds of business time
        self.portal = 0  # things done in an acquirer's portal
        self.booked_news: set[str] = set()
        self.made: list[Made] = []
        self.frozen: list[Op] = []  # written down, and then the process stood still
        self.model = Expected(amount)
        act = self.business.act
        with atomic(of(act["merchant_id"], False)) as connection:
            self.payment_id = start(connection, factories.an_order(amount, capture_mode=mode), **act)["id"]
        self._seen: Seen | None = None
        self.began = True

    @invariant()
    def the_database_is_as_the_model_says(self) -> None:
        if self.began:
            self.world.steps += 1
            compare(self.seen, self.model)

    def teardown(self) -> None:
        if not self.began:
            return
        try:
            if sys.exc_info()[0] is None:
                finish.settle(self)
                finish.compare_journals(self)
                self.world.whole += 1
                self.world.told.update(self.model.events)
        finally:
            self._context.pop()
            for acquirer in self.business.acquirers:
                acquirer.close()

    # What stands there now

    @property
    def seen(self) -> Seen:
        if self._seen is None:
            self._seen = look(self.payment_id)
        return self._seen

    def changed(self) -> None:
        self._seen = None

    def new_rows(self) -> list[Row]:
        """Operations that the model does not know yet, oldest first."""
        self.changed()
        known = {op.id for op in self.model.ops}
        return [row for row in self.seen.operations if public_id("op", row["id"]) not in known]

    def row_of(self, attempt: Attempt) -> Row:
        return next(row for row in self.seen.authorisations if str(row["id"]) == attempt.id)

    @property
    def business_now(self) -> datetime:
        return business_now(self.offset)

    def expired(self, attempt: Attempt) -> bool:
        expires_at = self.row_of(attempt)["expires_at"]
        return expires_at is not None and expires_at <= self.business_now

    def acquirer(self, attempt: Attempt) -> SteeredAcquirer:
        return self.business.acquirers[attempt.place]

    def reference(self, attempt: Attempt) -> str:
        """The acquirer's own name for an authorisation, whether we have heard it or not ("": there is none)."""
        op = next(op for op in self.model.of("authorise", attempt))
        found = self.acquirer(attempt).of_key(op.id)
        return found.id if found and found.verb == "authorise" else ""

    @property
    def waiting(self) -> Op | None:
        """The operation that waits for the payer and would be closed by a new attempt."""
        attempt = self.model.open_attempt
        ops = self.model.of("authorise", attempt) if attempt else []
        return next((op for op in ops if op.state == "action"), None)

    @property
    def left(self) -> int:
        """To capture or to cancel."""
        attempt = self.model.open_attempt
        return self.model.left_to_capture(attempt) if attempt else 0

    # Acting

    def command(self, call: Call, mishap: str | None, *, allowed: bool | None, place: int = 0) -> list[Row]:
        """Makes a request under a new key, with `mishap` on its first call. Returns the operations it wrote down.

        `allowed` None: whether it is depends on what comes of its first call; see `refused`.
        """
        once = Once(key=f"key-{len(self.made)}-{self.world.steps}", route="histories", body=b"{}")
        with self.world.trouble(mishap, self.business.acquirers[place]):
            outcome, refusal = self.outcome(call, once)
        self.refused = outcome == "refused"
        assert allowed is None or self.refused == (not allowed), (outcome, refusal, allowed)
        rows = self.new_rows()
        # One that died, or was refused, in its renewal has not taken its key yet.
        if outcome == "done" or (outcome == "died" and rows and allowed is not None):
            self.made.append(Made(call, once))
        return rows

    def outcome(self, call: Call, once: Once) -> tuple[str, Any]:
        try:
            return "done", call(once)
        except Died:
            return "died", None
        except Refusal as refusal:
            return "refused", refusal

    def begun(self, row: Row, *, attempt: Attempt | None = None) -> Op:
        """The model learns of a command; without `attempt` it is one of a known authorisation."""
        if attempt is None:
            attempt = next(one for one in self.model.attempts if one.id == str(row["authorisation_id"]))
        elif attempt not in self.model.attempts:
            self.model.attempts.append(attempt)
        state = "pending_approval" if row["state"] == "pending_approval" else "submitted"
        op = Op(public_id("op", row["id"]), row["kind"], attempt, row["amount"], state)
        self.model.begins(op)
        return op

    def new_attempt(self, row: Row, *, replaces: Attempt | None = None) -> Attempt:
        place = self.business.contracts.index(row["contract_id"])
        held = self.review and replaces is None
        return Attempt(str(row["authorisation_id"]), place, open=replaces is None, held=held, replaces=replaces)

    def answered(self, op: Op, mishap: str | None) -> None:
        """What must follow from the acquirer's answer to `op`, of which `mishap` may have made silence."""
        if mishap in DEATHS:
            if mishap == "dies_before_the_call":
                self.frozen.append(op)
            return
        if mishap == "busy":
            self.hear(op, "failed")
        elif mishap in LOST:
            self.hear(op, "unknown")
        else:
            self.hear_truth(op)

    def hear_truth(self, op: Op) -> None:
        """The acquirer's answer arrives."""
        found = self.acquirer(op.attempt).of_key(op.id)
        assert found, "the acquirer has it"
        self.hear(op, WORDS[found.state], amount=found.amount, released=found.released)
        op.attempt.known |= op.kind == "authorise"

    def hear(self, op: Op, to: str, **more: Any) -> None:
        old = op.attempt.replaces if op.kind == "authorise" else None
        left = self.model.left_to_capture(old) if old else 0
        was = op.state
        too_late = self.model.hears(op, to, **more)
        unsent = op.gives_back and op.state == "failed" and was != "failed"
        back = self.model.holds(op.attempt)
        if (too_late or unsent) and back:
            word = "payment.late_approval_reversed" if too_late else "cancellation.planned"
            wanted = [("cancel", back, op.attempt)]
            self.expect(wanted, lambda new: self.model.sent_back(new, word), state="created")
        if old and op.state == "succeeded" and was != "succeeded" and not too_late:
            self.expect([("cancel", left, old)], self.model.renewed)
            too_much = self.model.holds(op.attempt) - left
            self.expect([("cancel", too_much, op.attempt)] if too_much > 0 else [], self.model.fact)

    def expect(self, wanted: Sequence[tuple[str, int, Attempt]], learn: Callable[[Op], None], **more: Any) -> None:
        for op in self.expected(wanted, **more):
            learn(op)

    def expected(self, wanted: Sequence[tuple[str, int, Any]], *, state: str = "declined") -> list[Op]:
        """Operations that must have come by themselves: (kind, amount, attempt) each."""
        found = []
        rows = self.new_rows()
        for kind, amount, attempt in wanted:
            fits = [
                r for r in rows if (r["kind"], r["amount"], str(r["authorisation_id"])) == (kind, amount, attempt.id)
            ]
            assert fits, f"a {kind} of {amount} is missing: {[(r['kind'], r['amount']) for r in rows]}"
            row = fits[0]
            rows.remove(row)
            found.append(Op(public_id("op", row["id"]), kind, attempt, amount, state))
        return found
