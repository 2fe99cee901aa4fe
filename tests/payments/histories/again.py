"""The same request again: repeated under its key, or clicked twice at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.core.idempotency import KeyReused, Once, Repeated
from app.payments.capture import capture
from app.payments.refund import refund
from sandbox.acquirers.move import why_not
from tests.payments.histories.commands import Commands, places
from tests.payments.histories.history import STEERING


class Again(Commands):
    @precondition(lambda self: self.began and self.made)
    @rule(place=places, changed=st.booleans())
    def a_request_comes_again(self, place: int, changed: bool) -> None:
        """Under its key it does nothing; with another body it is refused."""
        made = self.made[place % len(self.made)]
        once = Once(made.once.key, made.once.route, b"{'another': 'body'}") if changed else made.once
        with pytest.raises(KeyReused if changed else Repeated):
            made.call(once)
        assert self.new_rows() == []

    @precondition(lambda self: self.began and self._capture_is_plain())
    @rule(keyed=st.booleans())
    def a_double_click_captures_once(self, keyed: bool) -> None:
        attempt = self.model.open_attempt
        assert attempt
        left = self.model.left_to_capture(attempt)
        self._double_click(lambda once: capture(**self.business.act, payment_id=self.payment_id, once=once), keyed)
        self.capture_follows(self.new_rows(), attempt, left, None)

    def _capture_is_plain(self) -> bool:
        """The acquirer will take all that is left, so nothing is left for the second click."""
        attempt = self.model.open_attempt
        if attempt is None or attempt.held or not attempt.known:
            return False
        left, acquirer, reference = self.model.left_to_capture(attempt), self.acquirer(attempt), self.reference(attempt)
        if (
            left == 0
            or left % 10_000 in STEERING
            or self.expired(attempt)
            or self.fades(attempt)
            or self.renewing(attempt)
            or self.last_one_under_way(attempt)
        ):
            return False
        return why_not(acquirer, "capture", acquirer.authorisation(reference), left, "EUR") is None

    @precondition(lambda self: self.began and self._refund_is_plain())
    @rule(keyed=st.booleans())
    def a_double_click_refunds_once(self, keyed: bool) -> None:
        left = self.model.left_to_refund()
        self._double_click(lambda once: refund(**self.business.act, payment_id=self.payment_id, once=once), keyed)
        rows = self.new_rows()
        assert sum(row["amount"] for row in rows) == left
        for row in rows:
            self.answered(self.begun(row), None)

    def _refund_is_plain(self) -> bool:
        left = self.model.left_to_refund()
        captured = [attempt for attempt in self.model.attempts if self.model.done("capture", attempt)]
        if self.model.disputed or left == 0 or left % 10_000 in STEERING or len(captured) != 1:
            return False
        acquirer, reference = self.acquirer(captured[0]), self.reference(captured[0])
        return why_not(acquirer, "refund", acquirer.authorisation(reference), left, "EUR") is None

    def _double_click(self, call: Any, keyed: bool) -> None:
        """Two requests at the same moment: one of them does it."""
        keys = [f"double-{self.world.steps}-{0 if keyed else number}" for number in (1, 2)]

        def click(key: str) -> str:
            with self.world.app.app_context():
                try:
                    return self.outcome(call, Once(key, "histories", b"{}"))[0]
                except Repeated:
                    return "repeated"

        with ThreadPoolExecutor(2) as pool:
            outcomes = sorted(pool.map(click, keys))
        assert outcomes in (["done", "repeated" if keyed else "refused"],), outcomes
        self.changed()
