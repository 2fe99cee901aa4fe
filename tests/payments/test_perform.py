"""Between "written down" and "sent" a process can freeze. What it sends too late, and what arrives too late."""

from datetime import timedelta

from app.connectors.kinds import Answer, Outcome
from app.core.clock import now
from app.payments import capture as capturing
from app.payments.perform import perform, record_answer
from app.payments.permit import always
from app.payments.queries import left_to_capture
from tests import factories
from tests.books import booked, broken_proofs, told


def test_a_process_whose_lease_is_over_sends_nothing(act, tenant, acquirers):
    done = factories.authorised(tenant, 10_000)
    held = _left_capture(tenant, done, 4_000)
    woken = {**held.operation, "leased_until": now() + timedelta(seconds=1)}
    late = perform(operation=woken, contract=held.contract, verb="capture", ask=capturing.ask(held), actor="test")
    assert late.operation["state"] == "failed"
    assert told(done.payment["id"])[-1] == "capture.failed"
    assert booked(done.payment["id"]) == {}
    assert left_to_capture(late.payment) == 10_000
    assert acquirers["A"].did(done="captured", reference=done.payment["merchant_reference"]) == []


def test_a_capture_given_up_that_happened_after_all_is_booked(act, tenant):
    done = factories.authorised(tenant, 10_000)
    given_up = _record(_left_capture(tenant, done, 4_000).operation, tenant, None)
    assert (given_up.operation["state"], given_up.payment["capture_pending"]) == ("failed", 0)
    late = _record(given_up.operation, tenant, Answer(Outcome.APPROVED, provider_reference="cap-1", amount=4_000))
    assert (late.payment["status"], late.payment["captured"]) == ("partially_captured", 4_000)
    assert told(done.payment["id"])[-1] == "capture.succeeded"
    assert booked(done.payment["id"]) == {"provider_balance": 4_000, "payer_clearing": -4_000}
    assert broken_proofs() == {}


def test_an_authorisation_given_up_that_happened_after_all_is_given_back(act, tenant):
    left = factories.left_submitted(tenant)
    assert _record(left.operation, tenant, None).payment["status"] == "failed"
    late = _record(left.operation, tenant, Answer(Outcome.APPROVED, provider_reference="auth-1", amount=10_000))
    assert late.payment["cancel_pending"] == late.payment["authorised"] == 10_000
    assert told(left.payment["id"])[-2:] == ["authorisation.succeeded", "payment.late_approval_reversed"]
    assert booked(left.payment["id"]) == {}


def _left_capture(tenant, done, amount):
    """A capture that was written down, and whose process died."""
    wanted = {"amount": amount, "final": False, "reason": "", "lines": None, "permit": always}
    return capturing._prepare(tenant.merchant_id, False, done.payment["id"], "test", None, wanted)


def _record(operation, tenant, answer):
    return record_answer(
        merchant_id=tenant.merchant_id, live=False, operation_id=operation["id"], answer=answer, actor="test"
    )
