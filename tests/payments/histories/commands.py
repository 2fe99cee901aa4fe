"""What payers and merchants ask of us, and staff who release a payment."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from app.core.idempotency import Once
from app.core.ids import public_id
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.cancel import cancel
from app.payments.capture import capture
from app.payments.refund import refund
from app.payments.review import release
from sandbox.acquirers import acs
from tests import factories
from tests.payments.histories.history import AMOUNTS, LETTERS, STEERING, History
from tests.payments.histories.look import Row
from tests.payments.histories.model import Attempt, Op
from tests.payments.histories.world import DEATHS, LOST

CARDS = ("visa", "news_duplicate", "visa", "news_duplicate", "challenge", "challenge", "challenge", "pending")
cards = st.sampled_from((*CARDS, "refused", "pending_decline"))
shares = st.sampled_from((None, None, 500, 2_000, 2_000, 13_202, *STEERING))  # None: all there is
mishaps = st.sampled_from((*(None,) * 30, "busy", *LOST, *DEATHS))
QUARRELS = ("disputed", "decided")  # money was taken back; and the bank has decided about it
places = st.integers(0, 99)


class Commands(History):
    @initialize(
        letters=st.sampled_from(LETTERS),
        amount=st.sampled_from(AMOUNTS),
        mode=st.sampled_from(("manual", "manual", "automatic")),
        review=st.sampled_from((False, False, False, True)),
        honour_days=st.sampled_from((None, 2)),
        card=cards,
        store=st.sampled_from((False, False, True)),
        mishap=mishaps,
        then=st.sampled_from((None, 2_000, 6_607, "captured", "captured", *QUARRELS, "given up", "refunded", "asked")),
        end=st.sampled_from(("reversed", "lost")),
    )
    def a_payment_begins(
        self, letters: str, card: str, store: bool, mishap: str | None, then: int | str | None, end: str, **terms: Any
    ) -> None:
        """Often further on already, or less would happen to captured money, and to attempts that were given up."""
        if then == "given up":
            letters, card = "B", "challenge"
        elif then == "decided":
            card, mishap = "visa", None
        self.begin(letters=letters, **terms)
        self.the_payer_tries(card=card, mishap=mishap, store=store)
        if then == "given up" and self.waiting:
            self.the_payer_confirms_what_was_given_up(card="visa", cancels=False)
        elif then == "asked":
            self.somebody_asks_in_vain()
        elif then and self.left:
            self.the_merchant_captures(share=then if isinstance(then, int) else None, final=False, mishap=None)
        if then in QUARRELS and self.model.done("capture"):
            if then == "disputed":
                self.the_bank_takes_a_turn(place=0, choice=1, amount=None)
            else:
                self.the_bank_decides(end)
        if then == "refunded" and self.model.left_to_refund():
            self.the_merchant_refunds(share=None, mishap=None)
            self.banks_take_back_what_was_refunded(end)

    def somebody_asks_in_vain(self) -> None:
        """See approvals.py."""
        raise NotImplementedError

    def banks_take_back_what_was_refunded(self, end: str) -> None:
        """See outside.py."""
        raise NotImplementedError

    def the_bank_decides(self, end: str) -> None:
        """See outside.py."""
        raise NotImplementedError

    def the_bank_takes_a_turn(self, place: int, choice: int, amount: int | None) -> None:
        """See outside.py."""
        raise NotImplementedError

    @precondition(
        lambda self: self.began and self.waiting and self.acquirer(self.waiting.attempt).letter.authorises_at_acs
    )
    @rule(card=st.sampled_from(("visa", "news_duplicate", "challenge", "pending", "refused")), cancels=st.booleans())
    def the_payer_confirms_what_was_given_up(self, card: str, cancels: bool) -> None:
        """They try another card, or the merchant cancels, and then they say yes to the first at their bank."""
        op = self.waiting
        assert op
        theirs = self.acquirer(op.attempt).of_key(op.id)
        if cancels:
            self.the_merchant_cancels(mishap=None)
        else:
            self.the_payer_tries(card=card, mishap=None)
        if theirs and theirs.state == "action":
            acs._decide(self.acquirer(op.attempt), theirs, "approve")

    @precondition(lambda self: self.began and self._may_try())
    @rule(card=cards, mishap=mishaps, store=st.booleans())
    def the_payer_tries(self, card: str, mishap: str | None, store: bool = False) -> None:
        """`store`: their card is to be kept, so it is registered at the other acquirers, too."""
        model, waiting, allowed = self.model, self.waiting, self._may_try()
        means = Means("card", card=factories.card(card), store=store)

        def call(once: Once) -> Any:
            return authorise(**self.business.act, means=means, payment_id=self.payment_id, once=once)

        rows = self.command(call, mishap, allowed=allowed)
        if not rows:
            return
        if waiting:
            model.abandoned(waiting, "failed")
        attempts = [row for row in rows if row["kind"] == "authorise"]
        for number, row in enumerate(attempts):
            op = self.begun(row, attempt=replace(self.new_attempt(row), store=store))
            assert op.attempt.place == number
            if number + 1 < len(attempts):
                model.passed_on(op)
            else:
                self.answered(op, None if number else mishap)
        refused_here = attempts and op.state == "failed" and len(attempts) < len(self.business.contracts)
        assert not refused_here or mishap in DEATHS, "what was provably not sent goes to the next acquirer"
        self.captured_at_once(op)

    def _may_try(self) -> bool:
        unpaid = self.model.status in ("created", "failed", "requires_action", "pending")
        return unpaid and (self.model.open_attempt is None or self.waiting is not None)

    def captured_at_once(self, op: Op) -> None:
        """A payment that is to be captured automatically is, when its authorisation has just succeeded."""
        wanted = self.mode == "automatic" and op.state == "succeeded" and self.model.status == "authorised"
        if wanted and not op.attempt.held and not self.expired(op.attempt):
            self.capture_follows(self.new_rows(), op.attempt, self.model.left_to_capture(op.attempt), None)

    def capture_follows(self, rows: list[Row], attempt: Attempt, amount: int, mishap: str | None) -> None:
        [row] = rows
        assert (row["kind"], row["amount"], str(row["authorisation_id"])) == ("capture", amount, attempt.id)
        self.answered(self.begun(row), mishap)

    @precondition(lambda self: self.began and self.left > 0)
    @rule(share=shares, final=st.sampled_from((False, False, True)), mishap=mishaps)
    def the_merchant_captures(self, share: int | None, final: bool, mishap: str | None) -> None:
        attempt = self.model.open_attempt
        left = self.left
        asked = left if share is None else share
        allowed = attempt is not None and 0 < asked <= left and not attempt.held and not self.expired(attempt)
        allowed = allowed and not self.renewing(attempt) and not self.last_one_under_way(attempt)
        renews = attempt is not None and allowed and self.fades(attempt)

        def call(once: Once) -> Any:
            return capture(**self.business.act, payment_id=self.payment_id, amount=share, final=final, once=once)

        rows = self.command(call, mishap, allowed=None if renews else allowed, place=attempt.place if attempt else 0)
        if rows and attempt and renews:
            renewal = self.begun(rows[0], attempt=self.new_attempt(rows[0], replaces=attempt))
            self.answered(renewal, mishap)
            assert self.refused == (renewal.is_open and mishap not in DEATHS), "it waits for the renewal's answer"
            rows = self.new_rows()
            attempt, mishap = self.model.open_attempt or attempt, None
        if rows and attempt:
            self.capture_follows(rows, attempt, asked, mishap)

    def fades(self, attempt: Attempt) -> bool:
        """Is the time over for which its acquirer guarantees it? Then it is renewed first, once."""
        sums = self.model.sums(attempt)
        due = self.row_of(attempt)["honour_until"] <= self.business_now
        asked = any(op.state != "failed" for op in self.model.renewals(attempt))
        return due and not asked and attempt.replaces is None and sums["capture_pending"] + sums["cancel_pending"] == 0

    def renewing(self, attempt: Attempt | None) -> bool:
        """Has its renewal no answer yet? Then nothing is captured."""
        return attempt is not None and any(op.is_open for op in self.model.renewals(attempt))

    def last_one_under_way(self, attempt: Attempt | None) -> bool:
        """Has a capture no answer yet that was to be the last? Then there is no other."""
        under_way = {op.id for op in self.model.of("capture", attempt) if op.is_open} if attempt else set()
        return any(row["final"] and public_id("op", row["id"]) in under_way for row in self.seen.operations)

    @precondition(lambda self: self.began and (self.left > 0 or self.waiting or self.model.status == "failed"))
    @rule(mishap=mishaps)
    def the_merchant_cancels(self, mishap: str | None) -> None:
        attempt, waiting = self.model.open_attempt, self.waiting
        sums = self.model.sums(attempt)
        left = self.left
        closes = attempt is None and self.model.status in ("created", "failed")
        allowed = attempt is not None and (waiting is not None or (left > 0 and not sums["capture_pending"]))

        def call(once: Once) -> Any:
            return cancel(**self.business.act, payment_id=self.payment_id, once=once)

        rows = self.command(call, mishap, allowed=allowed or closes, place=attempt.place if attempt else 0)
        if closes:
            if mishap != "dies_in_prepare":
                self.model.closed("cancelled")
            return
        if waiting:
            if mishap != "dies_in_prepare":
                self.model.abandoned(waiting, "cancelled")
            return
        for row in rows:
            assert (row["kind"], row["amount"]) == ("cancel", left)
            self.answered(self.begun(row), mishap)

    @precondition(lambda self: self.began and self.model.left_to_refund() > 0)
    @rule(share=shares, mishap=mishaps)
    def the_merchant_refunds(self, share: int | None, mishap: str | None) -> None:
        left = self.model.left_to_refund()
        asked = left if share is None else share
        allowed = 0 < asked <= left and not self.model.disputed

        def call(once: Once) -> Any:
            return refund(**self.business.act, payment_id=self.payment_id, amount=share, once=once)

        newest = [op.attempt.place for op in self.model.of("capture") if op.state == "succeeded"][-1:]
        rows = self.command(call, mishap, allowed=allowed, place=newest[0] if newest else 0)
        assert sum(row["amount"] for row in rows) in (asked, 0)
        ops = [self.begun(row) for row in rows]
        for number, op in enumerate(ops):
            if number == 0 or mishap not in DEATHS:
                self.answered(op, None if number else mishap)

    @precondition(lambda self: self.began and self._may_be_released())
    @rule(mishap=mishaps)
    def staff_release_it(self, mishap: str | None) -> None:
        attempt = self.model.open_attempt
        assert attempt
        left = self.model.left_to_capture(attempt)

        def call(once: Once) -> Any:
            return release(**self.business.act, payment_id=self.payment_id, once=once)

        rows = self.command(call, None if self.mode == "automatic" else mishap, allowed=True, place=attempt.place)
        if self.mode != "automatic" and mishap == "dies_in_prepare":
            return
        self.model.events.append("payment.released")
        attempt.held = False
        if self.mode == "automatic":
            self.capture_follows(rows, attempt, left, None)

    def _may_be_released(self) -> bool:
        """And captured by the way, if it is an automatic one."""
        attempt = self.model.open_attempt
        if attempt is None or not attempt.held:
            return False
        left = self.model.left_to_capture(attempt)
        return self.mode != "automatic" or (left > 0 and not self.expired(attempt) and not self.fades(attempt))

    @rule(verb=st.sampled_from(("try", "capture", "cancel", "refund")), share=shares)
    def somebody_asks_for_anything(self, verb: str, share: int | None) -> None:
        """Mostly for what is not possible just now."""
        if verb == "try":
            self.the_payer_tries(card="visa", mishap=None)
        elif verb == "capture":
            self.the_merchant_captures(share=share, final=False, mishap=None)
        elif verb == "cancel":
            self.the_merchant_cancels(mishap=None)
        else:
            self.the_merchant_refunds(share=share, mishap=None)
