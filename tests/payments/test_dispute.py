"""Disputes: INQUIRY -> CHARGED_BACK -> REVERSED | LOST (and again): booked, told, refunds blocked."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from app.connectors.kinds import DisputeNews, News, Outcome
from app.core.db import ALL, atomic, of, reading
from app.payments import news
from app.payments.dispute import DISPUTES
from app.payments.refund import DisputeOpen, refund
from tests import factories
from tests.books import booked, broken_proofs, told

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
RESPOND_BY = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def paid(tenant):
    return factories.captured(tenant, 10_000)


@pytest.fixture
def hear_turn(tenant, paid):
    """Tells one turn of the payment's dispute; `minute` orders them."""

    def tell(turn: str, minute: int, amount: int = 10_000, fee: int | None = None, **more) -> None:
        outcome, fee_currency = more.get("outcome", "approved"), more.get("fee_currency")
        assert factories.hear(
            tenant,
            paid,
            "dispute",
            outcome,
            amount,
            reference="",
            news_id=f"{paid.payment['id']}-{turn}-{minute}",
            authorisation_reference=factories.authorisation_of(paid)["provider_reference"],
            occurred_at=START + timedelta(minutes=minute),
            dispute=DisputeNews(
                turn=turn,  # pyright: ignore
                provider_reference=f"dp_{paid.payment['id']}",
                reason="product_not_received",
                fee=fee,
                fee_currency=fee_currency,
                respond_by=more.get("respond_by", RESPOND_BY),
            ),
        )

    return tell


def test_an_inquiry_moves_no_money_but_blocks_refunds(act, paid, hear_turn):
    hear_turn("inquiry", 1)
    assert _dispute(paid)["state"] == "inquiry"
    assert _dispute(paid)["respond_by"] == RESPOND_BY
    assert told(paid.payment["id"])[-1] == "dispute.opened" or "dispute.opened" in told(paid.payment["id"])
    assert booked(paid.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    with pytest.raises(DisputeOpen):
        refund(**act, payment_id=paid.payment["id"])


def test_a_chargeback_takes_the_money_and_the_fee(paid, hear_turn):
    hear_turn("inquiry", 1)
    hear_turn("charged_back", 2, fee=1_500)
    payment = factories.fresh(paid)
    assert (payment["status"], payment["charged_back"]) == ("charged_back", 10_000)
    assert {"chargeback.succeeded", "dispute.charged_back"} <= set(told(paid.payment["id"]))
    assert booked(paid.payment["id"]) == {
        "provider_balance": -1_500,
        "payer_clearing": -10_000,
        "disputed": 10_000,
        "provider_fees": 1_500,
    }
    assert broken_proofs() == {}


def test_a_won_dispute_brings_the_money_back_and_frees_refunds(act, paid, hear_turn):
    hear_turn("charged_back", 2)
    hear_turn("reversed", 3)
    assert factories.fresh(paid)["status"] == "captured"
    assert booked(paid.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert refund(**act, payment_id=paid.payment["id"]).payment["status"] == "refunded"


def test_a_lost_dispute_is_a_loss_and_can_still_be_won(paid, hear_turn):
    hear_turn("charged_back", 2)
    hear_turn("lost", 3)
    assert booked(paid.payment["id"]) == {"payer_clearing": -10_000, "dispute_losses": 10_000}
    hear_turn("reversed", 4)
    assert booked(paid.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert broken_proofs() == {}


def test_a_second_round_is_booked_like_the_first(paid, hear_turn):
    for turn, minute in (("charged_back", 1), ("reversed", 2), ("charged_back", 3), ("lost", 4)):
        hear_turn(turn, minute)
    assert _dispute(paid)["state"] == "lost"
    assert booked(paid.payment["id"]) == {"payer_clearing": -10_000, "dispute_losses": 10_000}
    assert broken_proofs() == {}


def test_the_same_turn_twice_and_a_late_inquiry_change_nothing(paid, hear_turn):
    hear_turn("charged_back", 2)
    hear_turn("charged_back", 3)
    hear_turn("inquiry", 1)
    assert factories.fresh(paid)["charged_back"] == 10_000
    assert _dispute(paid)["state"] == "charged_back"


def test_a_chargeback_takes_what_it_names_not_what_the_inquiry_named(paid, hear_turn):
    hear_turn("inquiry", 1)
    hear_turn("charged_back", 2, amount=400)
    assert factories.fresh(paid)["charged_back"] == 400
    assert _dispute(paid)["amount"] == 400
    hear_turn("lost", 3)
    assert booked(paid.payment["id"]) == {
        "provider_balance": 9_600,
        "payer_clearing": -10_000,
        "dispute_losses": 400,
    }
    assert broken_proofs() == {}


def test_turns_that_overtake_each_other_end_with_the_newest(paid, hear_turn):
    for turn, minute in (("charged_back", 3), ("charged_back", 1), ("reversed", 2)):
        hear_turn(turn, minute)
    assert _dispute(paid)["state"] == "charged_back"
    assert factories.fresh(paid)["charged_back"] == 10_000
    assert told(paid.payment["id"]).count("chargeback.succeeded") == 1


def test_the_fee_of_a_turn_that_was_overtaken_is_booked_all_the_same(paid, hear_turn):
    hear_turn("reversed", 3)
    hear_turn("charged_back", 2, fee=1_500)
    assert _dispute(paid)["state"] == "reversed"
    assert booked(paid.payment["id"]) == {
        "provider_balance": 8_500,
        "payer_clearing": -10_000,
        "provider_fees": 1_500,
    }


def test_a_loss_that_is_the_first_we_hear_takes_money_and_fee_once(paid, hear_turn):
    hear_turn("lost", 3, fee=1_500)
    hear_turn("charged_back", 2, fee=1_500)
    assert _dispute(paid)["state"] == "lost"
    assert booked(paid.payment["id"]) == {
        "provider_balance": -1_500,
        "payer_clearing": -10_000,
        "dispute_losses": 10_000,
        "provider_fees": 1_500,
    }


def test_a_fee_that_changes_is_booked_by_its_difference(paid, hear_turn):
    hear_turn("charged_back", 2, fee=1_500)
    hear_turn("charged_back", 3, fee=2_500)
    hear_turn("charged_back", 3, fee=2_500)
    assert _dispute(paid)["fee"] == 2_500
    assert booked(paid.payment["id"])["provider_fees"] == 2_500
    hear_turn("reversed", 4, fee=0)
    assert booked(paid.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    hear_turn("charged_back", 1, fee=1_500)  # an older message knows of no later fee
    assert _dispute(paid)["fee"] == 0
    assert broken_proofs() == {}


def test_a_fee_is_booked_in_its_own_currency(paid, hear_turn):
    hear_turn("charged_back", 2, fee=1_700, fee_currency="USD")
    assert (_dispute(paid)["fee"], _dispute(paid)["fee_currency"]) == (1_700, "USD")
    assert _fees(paid) == {"USD": 1_700}
    hear_turn("charged_back", 3, fee=1_500, fee_currency="EUR")
    assert _fees(paid) == {"USD": 0, "EUR": 1_500}
    assert broken_proofs() == {}


def test_what_is_not_understood_moves_no_money_and_is_told_to_staff(act, paid, hear_turn):
    """PayPal: resolved in a way that nobody knows, and the first that we hear of it."""
    hear_turn("charged_back", 2, outcome="unknown", fee=1_500)
    assert factories.fresh(paid)["charged_back"] == 0
    assert "dispute.not_understood" in told(paid.payment["id"])
    assert "dispute.opened" not in told(paid.payment["id"])
    assert booked(paid.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert refund(**act, payment_id=paid.payment["id"], amount=100).operation["state"] == "succeeded"


def test_of_a_dispute_that_we_know_it_changes_the_deadline_only(paid, hear_turn):
    hear_turn("inquiry", 1)
    later = RESPOND_BY + timedelta(days=3)
    hear_turn("charged_back", 2, outcome="unknown", respond_by=later)
    assert (_dispute(paid)["state"], _dispute(paid)["respond_by"]) == ("inquiry", later)
    assert told(paid.payment["id"]).count("dispute.not_understood") == 1
    assert booked(paid.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}


def test_a_refund_and_a_chargeback_of_the_same_money_are_a_loss(act, paid, hear_turn):
    refund(**act, payment_id=paid.payment["id"])
    hear_turn("charged_back", 2)
    assert factories.fresh(paid)["over_returned"] == 10_000
    assert booked(paid.payment["id"]) == {"provider_balance": -10_000, "over_returned_losses": 10_000}
    assert broken_proofs() == {}


def test_a_dispute_lost_about_refunded_money_is_one_loss(act, paid, hear_turn):
    refund(**act, payment_id=paid.payment["id"])
    hear_turn("charged_back", 1)
    assert booked(paid.payment["id"]) == {"provider_balance": -10_000, "over_returned_losses": 10_000}
    hear_turn("lost", 2)
    assert booked(paid.payment["id"]) == {"provider_balance": -10_000, "over_returned_losses": 10_000}
    assert told(paid.payment["id"])[-1] == "dispute.lost"
    assert broken_proofs() == {}
    hear_turn("reversed", 3)
    assert booked(paid.payment["id"]) == {}
    assert broken_proofs() == {}


def test_of_money_refunded_in_part_only_the_rest_is_in_dispute(act, paid, hear_turn):
    refund(**act, payment_id=paid.payment["id"], amount=4_000)
    hear_turn("charged_back", 1)
    hear_turn("lost", 2)
    assert booked(paid.payment["id"]) == {
        "provider_balance": -4_000,
        "payer_clearing": -6_000,
        "over_returned_losses": 4_000,
        "dispute_losses": 6_000,
    }
    assert broken_proofs() == {}


@pytest.mark.parametrize("end", ["reversed", "lost"])
def test_a_refund_that_arrives_while_the_dispute_is_open(tenant, paid, hear_turn, end):
    hear_turn("charged_back", 1)
    reference = factories.authorisation_of(paid)["provider_reference"]
    fact = News("late-" + end, "refund", Outcome.APPROVED, 10_000, "EUR", authorisation_reference=reference)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, fact)
    hear_turn(end, 2)
    lost = {"provider_balance": -10_000, "over_returned_losses": 10_000, "dispute_losses": 10_000}
    lost["payer_clearing"] = -10_000
    assert booked(paid.payment["id"]) == (lost if end == "lost" else {})
    assert broken_proofs() == {}


@pytest.mark.parametrize("ends", [("lost", "reversed"), ("reversed", "lost"), ("lost", "lost")])
def test_two_disputes_about_more_than_was_paid(tenant, paid, ends):
    """60 and 60 of 100: 20 of the second are a loss at once, until the first is won."""
    for number in (1, 2):
        _turn(tenant, paid, number, "charged_back", number)
    assert booked(paid.payment["id"])["over_returned_losses"] == 2_000
    for number, end in enumerate(ends, 1):
        _turn(tenant, paid, number, end, 2 + number)
    both = {"provider_balance": -2_000, "payer_clearing": -10_000}
    both |= {"dispute_losses": 10_000, "over_returned_losses": 2_000}
    one = {"provider_balance": 4_000, "payer_clearing": -10_000, "dispute_losses": 6_000}
    assert booked(paid.payment["id"]) == (both if ends == ("lost", "lost") else one)
    assert broken_proofs() == {}


def _turn(tenant, paid, number, turn, minute):
    assert factories.hear(
        tenant,
        paid,
        "dispute",
        "approved",
        6_000,
        reference="",
        authorisation_reference=factories.authorisation_of(paid)["provider_reference"],
        occurred_at=START + timedelta(minutes=minute),
        dispute=DisputeNews(turn=turn, provider_reference=f"dp_{paid.payment['id']}_{number}", reason="x"),
    )


def _dispute(paid) -> dict:
    with reading(ALL) as connection:
        return dict(
            connection.execute(select(DISPUTES).where(DISPUTES.c.payment_id == paid.payment["id"])).mappings().one()
        )


def _fees(paid) -> dict[str, int]:
    """What stands at provider fees, by currency."""
    query = text(
        "SELECT l.currency, sum(l.amount)::bigint FROM ledger_entries e JOIN ledger_lines l ON l.entry_id = e.id"
        " JOIN ledger_accounts a ON a.id = l.account_id"
        " WHERE e.payment_id = :id AND a.code = 'provider_fees' GROUP BY l.currency"
    )
    with reading(ALL) as connection:
        return {row[0]: row[1] for row in connection.execute(query, {"id": paid.payment["id"]})}
