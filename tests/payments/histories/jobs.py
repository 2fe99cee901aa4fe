"""Our own jobs, the passing of time, and a process that was frozen."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import update

from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.ids import parse_id
from app.payments import cancel, capture, expire, refund
from app.payments.fetch_details import fetch_details
from app.payments.perform import call, perform, record_answer
from app.payments.queries import OPERATIONS, read_operation
from app.payments.resolve import resolve
from tests.payments.histories.again import Again
from tests.payments.histories.commands import mishaps, places, shares
from tests.payments.histories.history import WORDS
from tests.payments.histories.look import Row
from tests.payments.histories.model import Attempt, Op
from tests.payments.histories.world import DEATHS, make_old

_ASKS = {"capture": capture.ask, "cancel": cancel.ask}


class Jobs(Again):
    @precondition(lambda self: self.began and any(attempt.store for attempt in self.model.attempts))
    @rule()
    def the_token_is_asked_for(self) -> None:
        fetch_details(1_000)
        self.changed()

    @precondition(lambda self: self.began and any(op.is_open for op in self.model.ops))
    @rule(place=places, mishap=mishaps, old=st.booleans())
    def the_resolver_asks(self, place: int, mishap: str | None, old: bool) -> None:
        """`old`: so long after it was sent that it cannot be on its way any more."""
        ops = [op for op in self.model.ops if op.is_open and op.state != "pending_approval"]
        if not ops:
            return
        op = ops[place % len(ops)]
        if old:
            make_old(op.id, timedelta(seconds=90))
        self.resolve(op, mishap)

    def resolve(self, op: Op, mishap: str | None = None) -> None:
        acquirer, was = self.acquirer(op.attempt), op.state
        too_soon = acquirer.not_yet(op.id)
        with self.world.trouble(mishap, acquirer):
            self.outcome(
                lambda _: resolve(parse_id("op", op.id), merchant_id=self.business.merchant_id, live=False), None
            )  # type: ignore[arg-type]
        self.changed()
        if was == "created":
            if mishap != "dies_in_prepare":
                self.model.sends(op)
                self.answered(op, mishap)
        elif mishap not in DEATHS:
            self._resolved(op, silent=mishap is not None or too_soon)

    def _resolved(self, op: Op, *, silent: bool) -> None:
        found = self.acquirer(op.attempt).of_key(op.id)
        assert silent or found, "an enquiry leaves a promise"
        if silent or found is None:
            if op.state == "submitted":
                self.hear(op, "unknown")
        elif found.reason == "never_arrived":
            old = now() - self._row(op)["created_at"] > timedelta(seconds=60)
            if old:
                self.hear(op, "failed")
            elif op.state == "submitted":
                self.hear(op, "unknown")
        elif self._payer_is_done(op, WORDS[found.state]):
            self.model.comes_back(op, with_proof=False)
            self.hear_truth(op)
            self.captured_at_once(op)
        else:
            self.hear_truth(op)

    def _payer_is_done(self, op: Op, said: str) -> bool:
        if not op.waits or op.state not in ("action", "unknown"):
            return False
        return said == "pending" or (said == "action" and op.returned)

    def _row(self, op: Op) -> Row:
        return next(row for row in self.seen.operations if row["id"] == parse_id("op", op.id))

    @precondition(lambda self: self.began and self.frozen)
    @rule(place=places)
    def a_frozen_process_wakes_up(self, place: int) -> None:
        """It had written its command down and was about to send it; now its lease is over, and it must not. What has
        become of the command meanwhile is for others to say: that it sent nothing counts only if nobody has asked."""
        op = self.frozen.pop(place % len(self.frozen))
        over = {"leased_until": now() - timedelta(seconds=1)}
        if op.state == "submitted":
            with atomic(ALL) as connection:
                connection.execute(update(OPERATIONS).where(OPERATIONS.c.id == parse_id("op", op.id)).values(over))
        perform(operation={**self._row(op), **over}, contract={}, verb=op.kind, ask=None, actor="test")
        self.changed()
        if op.state == "submitted":
            self.hear(op, "failed")

    @precondition(lambda self: self.began and (self.left or self.model.left_to_refund()))
    @rule(verb=st.sampled_from(("capture", "refund", "cancel")), share=shares)
    def a_process_freezes_and_another_sends_for_it(self, verb: str, share: int | None) -> None:
        """Under the same key, as the resolver does where an acquirer can be asked in no other way."""
        if verb == "refund":
            self.the_merchant_refunds(share=share, mishap="dies_before_the_call")
        elif verb == "capture":
            self.the_merchant_captures(share=share, final=False, mishap="dies_before_the_call")
        else:
            self.the_merchant_cancels(mishap="dies_before_the_call")
        for op in [op for op in self.frozen if op.state == "submitted" and op.kind == verb]:
            self._sent_by_another(op)

    def _sent_by_another(self, op: Op) -> None:
        with reading(ALL) as connection:
            held = read_operation(connection, parse_id("op", op.id))
        asked = refund.ask(held, None) if op.kind == "refund" else _ASKS[op.kind](held)
        answer = call(held.contract, op.kind, asked)
        assert answer is not None
        mine = {"merchant_id": self.business.merchant_id, "live": False}
        record_answer(**mine, operation_id=held.operation["id"], answer=answer, actor="test")
        self.changed()
        self.hear_truth(op)

    @precondition(lambda self: self.began and self.waiting)
    @rule()
    def the_payer_never_comes_back(self) -> None:
        op = self.waiting
        assert op
        make_old(op.id, timedelta(hours=25))
        expire.expire_actions(1_000)
        self.changed()
        self.hear(op, "declined")

    @precondition(lambda self: self.began and any(map(self._is_over, self.model.attempts)))
    @rule()
    def what_is_over_lapses(self) -> None:
        over = [attempt for attempt in self.model.attempts if self._is_over(attempt)]
        expire.expire_authorisations(1_000)
        for attempt in over:
            left = self.model.left_to_capture(attempt)
            self.expect([("cancel", left, attempt)], lambda op: self.model.fact(op, lapsed=True))
        assert self.new_rows() == []

    def _is_over(self, attempt: Attempt) -> bool:
        sums = self.model.sums(attempt)
        busy = sums["capture_pending"] + sums["cancel_pending"]
        return self.expired(attempt) and not busy and self.model.left_to_capture(attempt) > 0

    @precondition(lambda self: self.began and self.offset < 350_000)
    @rule(hours=st.sampled_from((1, 26, 80, 80, 200)))
    def time_passes(self, hours: int) -> None:
        self.offset += hours * 3600
        self.world.move_clock(self.business, hours * 3600, self.offset)
        self.changed()
