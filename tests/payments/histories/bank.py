"""The payer comes back from their bank."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.core.ids import parse_id
from app.payments.resume import resume
from sandbox.acquirers.authorise import proof_of
from tests.payments.histories.commands import mishaps, places
from tests.payments.histories.jobs import Jobs
from tests.payments.histories.world import DEATHS


class Bank(Jobs):
    @precondition(lambda self: self.began and any(op.waits for op in self.model.ops))
    @rule(place=places, with_proof=st.sampled_from((True, True, False)), mishap=mishaps)
    def the_payer_comes_back(self, place: int, with_proof: bool, mishap: str | None) -> None:
        ops = [op for op in self.model.ops if op.waits]
        op = ops[place % len(ops)]
        acquirer = self.acquirer(op.attempt)
        theirs = acquirer.of_key(op.id)
        assert theirs
        proof = {"challenge": proof_of(acquirer, theirs)} if theirs.decision and with_proof else {}
        with self.world.trouble(mishap, acquirer):
            outcome, _ = self.outcome(
                lambda _: resume(**self.business.act, operation_id=parse_id("op", op.id), parameters=proof),
                None,  # type: ignore[arg-type]
            )
        assert outcome != "refused"
        self.changed()
        if op.state not in ("action", "unknown") or mishap == "dies_in_prepare":
            return
        self.model.comes_back(op, with_proof=bool(proof))
        if mishap == "busy":
            mishap = "broken"  # what was done before cannot be "not processed"
        if mishap not in DEATHS:
            self.answered(op, mishap)
        self.captured_at_once(op)
