"""Commands that wait for somebody's approval: reserved, and then sent or withdrawn. The rules of who may are tested
with app/approvals; here the money is."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.core.db import atomic, of
from app.core.idempotency import Once
from app.core.ids import parse_id
from app.payments import sign_off
from app.payments.cancel import cancel
from app.payments.capture import capture
from app.payments.refund import refund
from tests.payments.histories.bank import Bank
from tests.payments.histories.commands import mishaps, places, shares
from tests.payments.histories.model import Op
from tests.payments.histories.world import DEATHS, Died


def _hold(*_: Any) -> None:
    """It waits."""


def _permit(*_: Any) -> Any:
    return _hold


class Approvals(Bank):
    @precondition(lambda self: self.began and (self.left or self.model.left_to_refund()))
    @rule(verb=st.sampled_from(("capture", "cancel", "refund")), share=shares)
    def a_command_waits_for_approval(self, verb: str, share: int | None) -> None:
        attempt = self.model.open_attempt
        if verb == "refund":
            most, possible = self.model.left_to_refund(), not self.model.disputed
        elif verb == "capture":
            most = self.left
            possible = attempt is not None and not (attempt.held or self.expired(attempt) or self.fades(attempt))
            possible = possible and not self.renewing(attempt) and not self.last_one_under_way(attempt)
        else:
            most, share = self.left, None
            possible = attempt is not None and not self.model.sums(attempt)["capture_pending"]
        asked = most if share is None else share
        if not possible or not 0 < asked <= most:
            return

        def call(once: Once) -> Any:
            terms: dict[str, Any] = {
                **self.business.act,
                "payment_id": self.payment_id,
                "once": once,
                "permit": _permit,
            }
            if verb == "cancel":
                return cancel(**terms)
            return (capture if verb == "capture" else refund)(**terms, amount=share)

        rows = self.command(call, None, allowed=True)
        assert sum(row["amount"] for row in rows) == asked
        for row in rows:
            assert row["state"] == "pending_approval"
            self.begun(row)

    @precondition(lambda self: self.began and self._undecided())
    @rule(place=places, approved=st.sampled_from((True, True, False)), mishap=mishaps)
    def a_checker_decides(self, place: int, approved: bool, mishap: str | None) -> None:
        waiting = self._undecided()
        op = waiting[place % len(waiting)]
        self.decide(op, approved=approved, mishap=mishap)

    def somebody_asks_in_vain(self) -> None:
        """To cancel, and a second person says no."""
        if self.left:
            self.a_command_waits_for_approval(verb="cancel", share=None)
        for op in self._undecided():
            self.decide(op, approved=False)

    def _undecided(self) -> list[Op]:
        return [op for op in self.model.ops if op.state == "pending_approval"]

    def decide(self, op: Op, *, approved: bool, mishap: str | None = None) -> None:
        group = next(row["group_id"] for row in self.seen.operations if row["id"] == parse_id("op", op.id))
        ids = {row["id"] for row in self.seen.operations if row["group_id"] == group}
        ops = [one for one in self._undecided() if parse_id("op", one.id) in ids]
        died_early = False
        with self.world.trouble(mishap, self.acquirer(ops[0].attempt)):
            try:
                self._decided(group, approved=approved)
            except Died:
                died_early = mishap == "dies_in_prepare"
        self.changed()
        for number, one in enumerate([] if died_early else ops):
            if not approved:
                self.model.withdrawn(one)
                continue
            self.model.sends(one)
            if number == 0 or mishap not in DEATHS:
                self.answered(one, None if number else mishap)

    def _decided(self, group: Any, *, approved: bool) -> None:
        with atomic(of(self.business.merchant_id, False)) as connection:
            if not approved:
                sign_off.withdraw(connection, group, code="approval_rejected", actor="test")
                return
            helds = sign_off.submit_waiting(connection, group, actor="test")
            references = sign_off.capture_references(connection, helds)
        sign_off.send(helds, references, actor="test")
