"""Between "written down" and "sent" a process can freeze. What it sends too late, and what arrives too late."""

from datetime import timedelta

from sqlalchemy import select, update

from app.connectors.kinds import Answer, Outcome
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.ids import uuid7
from app.payments import capture as capturing
from app.payments.attempt import Means
from app.payments.authorise import _move_on, _Prepared
from app.payments.perform import Done, perform, record_answer
from app.payments.permit import always
from app.payments.queries import OPERATIONS, left_to_capture
from app.payments.refund import refund
from app.payments.resolve import due
from app.routing.choose import choose
from tests import factories
from tests.books import booked, broken_proofs, told


def test_a_process_whose_lease_is_over_sends_nothing(act, tenant, acquirers):
    done = factories.authorised(tenant, 10_000)
    held = _left_capture(tenant, done, 4_000)
    woken = _lease_ends(held.operation)
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


def test_a_process_that_sent_nothing_does_not_say_so_of_what_others_have_sent_meanwhile(act, tenant):
    """It froze before it sent its refund; the resolver has sent it under the same key, and the provider works on it."""
    done = factories.captured(tenant, 20_000)
    waiting = refund(**act, payment_id=done.payment["id"], amount=16_607)
    assert waiting.operation["state"] == "pending"
    woken = {**_row(waiting.operation), "leased_until": now() - timedelta(seconds=10)}
    late = perform(operation=woken, contract={}, verb="refund", ask=None, actor="frozen")
    assert (late.operation["state"], late.payment["refund_pending"]) == ("pending", 16_607)
    assert told(done.payment["id"])[-1] == "refund.pending"
    assert booked(done.payment["id"]) == {"provider_balance": 20_000, "payer_clearing": -20_000}
    assert left_to_capture(late.payment) == 0 and broken_proofs() == {}


def test_nor_while_others_ask_about_it(act, tenant):
    """The resolver has taken it over and may be sending it this very moment."""
    done = factories.authorised(tenant, 10_000)
    woken = _lease_ends(_left_capture(tenant, done, 4_000).operation)
    assert woken["id"] in [operation_id for operation_id, *_ in due(100)]
    late = perform(operation=woken, contract={}, verb="capture", ask=None, actor="frozen")
    assert (late.operation["state"], late.payment["capture_pending"]) == ("submitted", 4_000)
    assert told(done.payment["id"])[-1] == "capture.submitted"
    assert booked(done.payment["id"]) == {}


def test_a_payment_does_not_go_to_the_next_provider_while_others_ask_about_it(act, tenant, acquirers):
    factories.add_contract_to(tenant, acquirers["B"].url, acquirer=acquirers["B"], priority=200)
    left = factories.left_submitted(tenant)
    woken = _lease_ends(left.operation)
    due(100)
    prepared = _prepared(left)
    stays = _move_on(prepared, woken, prepared.candidates[1], "frozen")
    assert isinstance(stays, Done) and stays.operation["state"] == "submitted"
    assert stays.payment["status"] == "pending"
    assert told(left.payment["id"])[-1] == "authorisation.submitted"


def _left_capture(tenant, done, amount):
    """A capture that was written down, and whose process died."""
    wanted = {"amount": amount, "final": False, "reason": "", "lines": None, "permit": always}
    wanted["operation_id"] = uuid7()
    return capturing._prepare(tenant.merchant_id, False, done.payment["id"], "test", None, wanted)


def _lease_ends(operation):
    """The operation as its process sees it when it wakes up after its lease."""
    with atomic(ALL) as connection:
        past = {"leased_until": now() - timedelta(seconds=1), "enquire_at": now() - timedelta(seconds=1)}
        connection.execute(update(OPERATIONS).where(OPERATIONS.c.id == operation["id"]).values(past))
    return {**operation, **past}


def _row(operation):
    with reading(ALL) as connection:
        query = select(OPERATIONS).where(OPERATIONS.c.id == operation["id"])
        return dict(connection.execute(query).mappings().one())


def _prepared(done):
    """As authorise() has it between two candidates."""
    with reading(ALL) as connection:
        candidates = choose(
            connection,
            merchant_id=done.payment["merchant_id"],
            live=False,
            method="card",
            currency="EUR",
            only=None,
        )
    means = Means("card", card=factories.GOOD_CARD)
    return _Prepared(done.payment, done.operation, means, candidates, {}, False, False, None)


def _record(operation, tenant, answer):
    return record_answer(
        merchant_id=tenant.merchant_id, live=False, operation_id=operation["id"], answer=answer, actor="test"
    )
