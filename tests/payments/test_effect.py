"""Random histories: no fact ever breaks a CHECK, no command exceeds its cap, books always equal the sums."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from app.connectors.kinds import Outcome
from app.payments.effect import Effect, of_answer, reserve, revoked
from app.payments.queries import left_to_capture, left_to_refund
from app.payments.states import AMOUNTS

amounts = st.integers(1, 50_000)
endings = st.sampled_from([Outcome.APPROVED, Outcome.DECLINED, None])


@dataclass
class Command:
    kind: str
    amount: int


class Histories(RuleBasedStateMachine):
    """One authorisation and everything that can happen to it, in any order."""

    submitted = Bundle("submitted")
    booked = Bundle("booked")

    @initialize(amount=amounts)
    def authorise(self, amount: int) -> None:
        self.sums = dict.fromkeys(AMOUNTS, 0)
        self.accounts: Counter[str] = Counter()
        self._apply(of_answer("authorise", "submitted", amount, self.sums, Outcome.APPROVED))

    def _apply(self, effect: Effect) -> None:
        for name, delta in effect.deltas.items():
            self.sums[name] += delta
        for posting in effect.postings:
            assert sum(amount for _, amount in posting.lines) == 0
            assert len(posting.lines) >= 2
            self.accounts.update(dict(posting.lines))

    @rule(target=submitted, kind=st.sampled_from(["capture", "cancel", "refund"]), share=st.floats(0, 1))
    def command(self, kind: str, share: float) -> Command:
        left = left_to_refund(self.sums) if kind == "refund" else left_to_capture(self.sums)
        amount = int(left * share)
        if amount:
            for name, delta in reserve(kind, amount).items():
                self.sums[name] += delta
        return Command(kind, amount)

    @rule(target=booked, command=consumes(submitted), outcome=endings, off=st.integers(-50, 50), free=amounts)
    def answer(self, command: Command, outcome: Outcome | None, off: int, free: int) -> Command:
        if not command.amount:
            return command
        moved = max(1, command.amount + off) if command.kind != "cancel" else command.amount
        effect = of_answer(
            command.kind, "submitted", command.amount, self.sums, outcome, moved, released=free % 3 * 100
        )
        self._apply(effect)
        return Command(command.kind, moved if outcome is Outcome.APPROVED else 0)

    @rule(kind=st.sampled_from(["capture", "cancel", "refund", "chargeback", "reversal"]), amount=amounts)
    def fact(self, kind: str, amount: int) -> None:
        """Something done elsewhere, or a late yes: nothing was reserved for it."""
        self._apply(of_answer(kind, "declined", amount, self.sums, Outcome.APPROVED, amount))

    @rule(command=consumes(booked))
    def revoke(self, command: Command) -> None:
        if command.amount and command.kind in ("capture", "refund"):
            self._apply(revoked(command.kind, command.amount, self.sums))

    @invariant()
    def every_check_of_the_database_holds(self) -> None:
        if not hasattr(self, "sums"):
            return
        sums = self.sums
        assert all(value >= 0 for value in sums.values()), sums
        taken = sums["captured"] + sums["capture_pending"] + sums["cancelled"] + sums["cancel_pending"]
        assert taken - sums["over_captured"] <= sums["authorised"], sums
        returned = sums["refunded"] + sums["refund_pending"] + sums["charged_back"]
        assert returned - sums["over_returned"] <= sums["captured"], sums

    @invariant()
    def the_books_equal_the_sums(self) -> None:
        if not hasattr(self, "sums"):
            return
        sums, accounts = self.sums, self.accounts
        assert accounts["provider_balance"] == sums["captured"] - sums["refunded"] - sums["charged_back"]
        assert accounts["payer_credit"] == -sums["over_captured"]
        assert accounts["over_returned_losses"] == sums["over_returned"]


Histories.TestCase.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
TestHistories = Histories.TestCase
