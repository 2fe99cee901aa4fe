"""Facts from providers: the same news twice changes nothing, and no fact is ever refused."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.connectors.kinds import Answer, DeclineCode, News, NewsRefused, Outcome
from app.core import inbox
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.core.errors import NotFound
from app.core.ids import public_id, uuid7
from app.payments import news
from app.payments.cancel import cancel
from app.payments.capture import capture
from app.payments.expire import expire_actions
from app.payments.perform import record_answer
from app.payments.queries import OPERATIONS, left_to_capture
from app.payments.refund import refund
from app.payments.resolve import resolve
from tests import factories
from tests.books import booked, broken_proofs, told
from tests.payments.histories.world import make_old


def test_a_pending_refund_arrives_once_although_told_twice(act, tenant):
    done = factories.captured(tenant, 20_000)
    waiting = refund(**act, payment_id=done.payment["id"], amount=16_607)
    for _ in range(2):
        assert factories.hear(tenant, waiting, "refund", "approved", 16_607, reference="r-1", news_id="same")
    assert factories.fresh(done)["refunded"] == 16_607
    assert told(done.payment["id"]).count("refund.succeeded") == 1
    assert booked(done.payment["id"]) == {"provider_balance": 3_393, "payer_clearing": -3_393}


def test_a_refund_that_did_not_arrive_is_taken_back(act, tenant):
    done = factories.captured(tenant, 10_000)
    back = refund(**act, payment_id=done.payment["id"], amount=4_000)
    factories.hear(tenant, back, "refund", "declined", 4_000, reference="gone", code=DeclineCode.ACCOUNT_CLOSED)
    assert factories.fresh(done)["refunded"] == 0
    assert told(done.payment["id"])[-1] == "refund.revoked"
    assert booked(done.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert broken_proofs() == {}


def test_a_refund_made_in_the_providers_portal_is_booked(tenant):
    done = factories.captured(tenant, 10_000)
    _hear_foreign(tenant, done, "refund", 2_500)
    assert factories.fresh(done)["refunded"] == 2_500
    assert booked(done.payment["id"]) == {"provider_balance": 7_500, "payer_clearing": -7_500}
    assert broken_proofs() == {}


def test_a_refund_beyond_what_was_captured_is_a_fact_and_a_loss(act, tenant):
    done = factories.captured(tenant, 10_000)
    refund(**act, payment_id=done.payment["id"])
    _hear_foreign(tenant, done, "refund", 10_000)
    payment = factories.fresh(done)
    assert (payment["refunded"], payment["over_returned"]) == (20_000, 10_000)
    assert booked(done.payment["id"]) == {"provider_balance": -10_000, "over_returned_losses": 10_000}
    assert broken_proofs() == {}


def test_a_capture_beyond_what_was_authorised_becomes_the_payers_credit(tenant):
    done = factories.captured(tenant, 10_000)
    _hear_foreign(tenant, done, "capture", 1_500)
    payment = factories.fresh(done)
    assert (payment["captured"], payment["over_captured"]) == (11_500, 1_500)
    assert booked(done.payment["id"]) == {
        "provider_balance": 11_500,
        "payer_clearing": -10_000,
        "payer_credit": -1_500,
    }
    assert broken_proofs() == {}


def test_a_capture_that_overtakes_its_authorisation_is_no_credit_of_the_payers(tenant):
    done = factories.authorised(tenant, 10_000, card=factories.card("pending"))
    _hear_foreign(tenant, done, "capture", 2_500)
    assert factories.fresh(done)["over_captured"] == 2_500
    reference = factories.authorisation_of(done)["provider_reference"]
    factories.hear(tenant, done, "authorise", "approved", 10_000, reference=reference)
    payment = factories.fresh(done)
    assert (payment["status"], payment["over_captured"]) == ("partially_captured", 0)
    assert left_to_capture(payment) == 7_500
    assert booked(done.payment["id"]) == {"provider_balance": 2_500, "payer_clearing": -2_500}
    assert broken_proofs() == {}


def test_a_cancellation_that_overtakes_its_authorisation_is_read_again_when_there_is_something_to_cancel(tenant):
    done = factories.authorised(tenant, 10_000, card=factories.card("pending"))
    gone = _foreign(done, "cancel", 10_000)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, gone) is False
    reference = factories.authorisation_of(done)["provider_reference"]
    factories.hear(tenant, done, "authorise", "approved", 10_000, reference=reference)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, gone) is True
    payment = factories.fresh(done)
    assert (payment["status"], payment["authorised"], payment["cancelled"]) == ("cancelled", 10_000, 10_000)
    assert broken_proofs() == {}


def test_a_cancellation_that_overtakes_a_late_yes_waits_for_it(tenant):
    """The payer was given up, and approved at the bank; somebody cancelled that in the provider's portal."""
    done = factories.authorised(tenant, 10_000, card=factories.card("challenge"))
    make_old(public_id("op", done.operation["id"]), timedelta(hours=25))
    expire_actions(1_000)
    gone = _foreign(done, "cancel", 10_000)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, gone) is False
    reference = factories.authorisation_of(done)["provider_reference"]
    factories.hear(tenant, done, "authorise", "approved", 10_000, reference=reference)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, gone) is True
    assert (factories.fresh(done)["authorised"], factories.fresh(done)["cancelled"]) == (10_000, 10_000)
    assert broken_proofs() == {}


def test_a_released_rest_is_a_cancellation_and_never_a_refund(act, tenant):
    done = factories.authorised(tenant, 10_000)
    capture(**act, payment_id=done.payment["id"], amount=4_000)
    _hear_foreign(tenant, done, "refund", 6_000, released=True)
    payment = factories.fresh(done)
    assert (payment["captured"], payment["cancelled"], payment["refunded"]) == (4_000, 6_000, 0)
    assert payment["status"] == "captured"


# Order: the provider's own times decide, not the order in which we hear


@pytest.mark.parametrize("kind", ["capture", "refund"])
def test_a_revocation_that_overtakes_its_yes_ends_as_a_no(act, tenant, kind):
    done = factories.authorised(tenant, 26_607) if kind == "capture" else factories.captured(tenant, 20_000)
    verb, before = {"capture": capture, "refund": refund}[kind], booked(done.payment["id"])
    waiting = verb(**act, payment_id=done.payment["id"], amount=16_607)
    assert waiting.operation["state"] == "pending"
    _hear_at(tenant, waiting, kind, "declined", 5)
    _hear_at(tenant, waiting, kind, "approved", 0)
    assert _operation(waiting)["state"] == "declined"
    payment = factories.fresh(done)
    assert payment["refunded" if kind == "refund" else "captured"] == 0
    assert told(done.payment["id"])[-1] == f"{kind}.declined"
    assert booked(done.payment["id"]) == before
    assert broken_proofs() == {}


def test_an_older_no_takes_nothing_back(act, tenant):
    done = factories.captured(tenant, 20_000)
    waiting = refund(**act, payment_id=done.payment["id"], amount=16_607)
    _hear_at(tenant, waiting, "refund", "approved", 5)
    _hear_at(tenant, waiting, "refund", "declined", 0)
    assert factories.fresh(done)["refunded"] == 16_607
    assert told(done.payment["id"])[-1] == "refund.succeeded"
    assert booked(done.payment["id"]) == {"provider_balance": 3_393, "payer_clearing": -3_393}


def test_a_yes_that_is_newer_than_the_no_is_booked(act, tenant):
    done = factories.captured(tenant, 20_000)
    waiting = refund(**act, payment_id=done.payment["id"], amount=16_607)
    _hear_at(tenant, waiting, "refund", "declined", 0)
    _hear_at(tenant, waiting, "refund", "approved", 5)
    assert factories.fresh(done)["refunded"] == 16_607
    assert told(done.payment["id"])[-2:] == ["refund.declined", "refund.succeeded"]
    assert booked(done.payment["id"]) == {"provider_balance": 3_393, "payer_clearing": -3_393}
    assert broken_proofs() == {}


def test_a_no_that_we_knew_already_is_remembered_with_its_time(act, tenant):
    """We asked and heard it; then the older yes comes, which had overtaken nobody."""
    done = factories.captured(tenant, 20_000)
    waiting = refund(**act, payment_id=done.payment["id"], amount=16_607)
    asked = {"merchant_id": tenant.merchant_id, "live": False, "operation_id": waiting.operation["id"], "actor": "test"}
    record_answer(**asked, answer=Answer(Outcome.DECLINED, code=DeclineCode.ACCOUNT_CLOSED))
    _hear_at(tenant, waiting, "refund", "declined", 5)
    _hear_at(tenant, waiting, "refund", "approved", 0)
    assert factories.fresh(done)["refunded"] == 0
    assert _operation(waiting)["state"] == "declined"


def test_a_refund_in_the_portal_that_failed_before_we_heard_of_it_is_no_refund(tenant):
    done = factories.captured(tenant, 10_000)
    for outcome, minute in ((Outcome.DECLINED, 5), (Outcome.APPROVED, 0)):
        news_ = _foreign(done, "refund", 2_500, occurred_at=now() + timedelta(minutes=minute))
        news_ = replace(news_, outcome=outcome, provider_reference="portal-refund-1")
        with atomic(of(tenant.merchant_id, False)) as connection:
            assert news.book(connection, tenant.contract_id, news_)
    assert factories.fresh(done)["refunded"] == 0
    assert told(done.payment["id"])[-1] == "operation.refused_elsewhere"
    assert booked(done.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}


# Our own, heard of from the provider's side first


def test_a_cancellation_that_was_refused_in_the_portal_says_nothing_about_ours(act, tenant):
    done = factories.authorised(tenant, 6_608)
    ours = cancel(**act, payment_id=done.payment["id"]).operation
    assert ours["state"] == "pending"
    factories.done_in_portal(tenant, done, "cancel", 6_608, outcome="declined")
    with reading(ALL) as connection:
        state = connection.execute(select(OPERATIONS.c.state).where(OPERATIONS.c.id == ours["id"])).scalar_one()
    assert state == "pending"
    assert told(done.payment["id"])[-1] == "cancellation.pending"
    assert booked(done.payment["id"]) == {}


def test_our_cancellation_is_told_once_although_the_news_overtakes_its_answer(act, tenant):
    done = factories.authorised(tenant, 36_604)
    silent = cancel(**act, payment_id=done.payment["id"])
    assert silent.operation["state"] == "unknown"
    _hear_foreign(tenant, done, "cancel", 36_604)
    assert _operation(silent)["state"] == "succeeded"
    resolve(silent.operation["id"], merchant_id=tenant.merchant_id, live=False)
    payment = factories.fresh(done)
    assert (payment["status"], payment["cancelled"], payment["cancel_pending"]) == ("cancelled", 36_604, 0)
    assert told(done.payment["id"]).count("cancellation.succeeded") == 1
    assert broken_proofs() == {}


@pytest.mark.parametrize("kind", ["capture", "refund"])
def test_our_own_without_our_key_waits_until_we_know_its_reference(act, tenant, kind):
    """Adyen may name the payment's reference instead of the capture's."""
    done = factories.authorised(tenant, 40_000) if kind == "capture" else factories.captured(tenant, 40_000)
    silent = {"capture": capture, "refund": refund}[kind](**act, payment_id=done.payment["id"], amount=36_604)
    assert silent.operation["state"] == "unknown"
    early = _foreign(done, kind, 36_604)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, early) is False
    resolve(silent.operation["id"], merchant_id=tenant.merchant_id, live=False)
    ours = replace(early, provider_reference=_operation(silent)["provider_reference"])
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, ours) is True
    assert factories.fresh(done)["captured" if kind == "capture" else "refunded"] == 36_604
    assert told(done.payment["id"]).count(f"{kind}.succeeded") == 1
    with atomic(of(tenant.merchant_id, False)) as connection:  # and another one in the portal is another one
        assert news.book(connection, tenant.contract_id, replace(early, id="n-2")) is True
    assert factories.fresh(done)["captured" if kind == "capture" else "refunded"] == 73_208
    assert broken_proofs() == {}


def test_a_message_with_a_wrong_signature_is_kept_but_not_read(tenant):
    message = news.receive(tenant.contract_id, "sandbox_card", {"x-sandbox-signature": "t=1,v1=00"}, b'{"news":[]}')
    with pytest.raises(NewsRefused):
        news.read(message)
    with reading(ALL) as connection:
        kept = connection.execute(
            select(inbox.InboxMessage.state, inbox.InboxMessage.sealed).where(inbox.InboxMessage.id == message)
        ).one()
    assert kept.state == "refused"
    assert b"news" not in kept.sealed


def test_the_same_bytes_are_kept_once(tenant):
    first = news.receive(tenant.contract_id, "sandbox_card", {}, b"{}")
    assert news.receive(tenant.contract_id, "sandbox_card", {}, b"{}") == first


def test_news_for_an_unknown_contract_is_not_found(tenant):
    with pytest.raises(NotFound):
        news.receive(uuid7(), "sandbox_card", {}, b"{}")
    with pytest.raises(NotFound):
        news.receive(tenant.contract_id, "stripe", {}, b"{}")


def _hear_at(tenant, done, kind, outcome, minute) -> None:
    more = {"reference": "r-1", "occurred_at": now() + timedelta(minutes=minute)}
    assert factories.hear(tenant, done, kind, outcome, done.operation["amount"], **more)


def _operation(done) -> dict:
    with reading(ALL) as connection:
        query = select(OPERATIONS).where(OPERATIONS.c.id == done.operation["id"])
        return dict(connection.execute(query).mappings().one())


def _hear_foreign(tenant, done, kind, amount, **more) -> None:
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, _foreign(done, kind, amount, **more))


def _foreign(done, kind, amount, **more) -> News:
    """Something done in the provider's portal: it names the authorisation, not an operation of ours."""
    return News(
        id=f"portal-{uuid7()}",
        kind=kind,
        outcome=Outcome.APPROVED,
        amount=amount,
        currency="EUR",
        provider_reference=f"portal-{uuid7()}",
        authorisation_reference=factories.authorisation_of(done)["provider_reference"],
        **more,
    )
