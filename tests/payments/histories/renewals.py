"""Renewals whose answer comes late: after the payment was cancelled, captured at the acquirer, or has lapsed."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.payments.histories.approvals import Approvals
from tests.payments.histories.model import Attempt, Op
from tests.payments.histories.outside import Outside


class Renewals(Outside, Approvals):
    @precondition(lambda self: self.began and self._may_fade())
    @rule(
        lost=st.sampled_from(("broken", "garbled", "no_answer", "dies_after_the_call")),
        then=st.sampled_from((None, "cancelled", "lapsed", 1, 700, None)),
        known=st.booleans(),
    )
    def a_renewal_gets_no_answer(self, lost: str, then: str | int | None, known: bool) -> None:
        """And then something happens to what it renews. `known`: at last the acquirer is asked."""
        attempt = self.model.open_attempt
        assert attempt
        while not self.fades(attempt):
            self.time_passes(hours=26)
        if self.expired(attempt):
            return
        self.the_merchant_captures(share=None, final=False, mishap=lost)
        self._meanwhile(attempt, then)
        for op in self._unanswered() if known else []:
            self.resolve(op)

    def _may_fade(self) -> bool:
        """Can its honour period be over before it lapses, and has nobody asked for its renewal?"""
        attempt = self.model.open_attempt
        if attempt is None or attempt.held or attempt.replaces or self.left == 0 or self.model.renewals(attempt):
            return False
        row, sums = self.row_of(attempt), self.model.sums(attempt)
        fades = row["honour_until"] < row["expires_at"]
        return fades and sums["capture_pending"] + sums["cancel_pending"] == 0 and self.offset < 350_000

    def _meanwhile(self, attempt: Attempt, then: str | int | None) -> None:
        if then == "cancelled" and self.left:
            self.the_merchant_cancels(mishap=None)
        elif then == "lapsed":
            while not self.expired(attempt):
                self.time_passes(hours=80)
            self.what_is_over_lapses()
        elif isinstance(then, int) and attempt in self._with_portal():
            place = self._with_portal().index(attempt)
            self.somebody_acts_in_the_portal(place=place, verb="capture", amount=then)

    def _unanswered(self) -> list[Op]:
        return [op for op in self.model.of("authorise") if op.attempt.replaces and op.is_open]
