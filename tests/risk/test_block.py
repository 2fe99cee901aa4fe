"""The block list: what is on it may not pay, and who put it there and took it off is told."""

import pytest
from sqlalchemy import text

from app.connectors.kinds import Payer
from app.core.db import ALL, atomic, of, reading
from app.core.errors import NotFound
from app.core.ids import public_id, uuid7
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.card_used import NoCardUsed, card_used
from app.risk import block
from app.staff.add import BadEmail
from tests import factories

GIVEN = "Betrug@Example.org"


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


@pytest.fixture
def put(tenant):
    """Puts something on the list and returns its id."""

    def add(blocked, reason="chargebacks", live=False):
        with atomic(of(tenant.merchant_id, live)) as connection:
            return block.block(
                connection, merchant_id=tenant.merchant_id, live=live, blocked=blocked, reason=reason, actor="staff:ada"
            )

    return add


@pytest.fixture
def told(tenant):
    def read():
        with reading(ALL) as connection:
            query = text(
                "SELECT name, actor, data, details_digest FROM events"
                " WHERE merchant_id = :id AND subject_type = 'block_entry' ORDER BY id"
            )
            return connection.execute(query, {"id": tenant.merchant_id}).mappings().all()

    return read


def pays(tenant, **more):
    """Whether a payment goes through."""
    means = Means("card", card=more.pop("card", factories.GOOD_CARD), ip_address=more.pop("ip", "198.51.100.9"))
    done = authorise(
        merchant_id=tenant.merchant_id, live=False, order=factories.an_order(**more), means=means, actor="test"
    )
    return done.payment["status"] == "authorised"


def test_a_blocked_address_may_not_pay_until_it_is_taken_off(tenant, put):
    entry = put(block.email(GIVEN))
    assert not pays(tenant, payer=Payer(email="betrug@example.org"))
    assert pays(tenant, payer=Payer(email="other@example.org"))
    with atomic(of(tenant.merchant_id, False)) as connection:
        block.unblock(connection, entry_id=entry, reason="was a mistake", actor="staff:ada")
    assert pays(tenant, payer=Payer(email="betrug@example.org"))


@pytest.mark.parametrize(
    ("typed", "used"), [("192.0.2.7", "192.0.2.7"), (" 2001:DB8:0::7 ", "2001:db8::7")], ids=["four", "six"]
)
def test_a_blocked_network_address_may_not_pay_however_it_was_written(tenant, put, typed, used):
    put(block.ip(typed))
    assert not pays(tenant, ip=used)
    assert pays(tenant, ip="203.0.113.1")


def test_the_card_of_a_payment_is_blocked_without_its_number(tenant, put, acquirers):
    done = factories.authorised(tenant)
    with reading(ALL) as connection:
        used = card_used(connection, done.payment["id"])
    assert (used.brand, used.last4) == ("visa", "4242")
    put(block.card(used.print_, "Visa •••• 4242"))
    assert not pays(tenant)
    assert pays(tenant, card=factories.card("amex"))


def test_the_card_of_a_stored_instrument_is_known_too(tenant):
    means = Means("card", card=factories.GOOD_CARD, store=True)
    order = factories.an_order()
    first = authorise(merchant_id=tenant.merchant_id, live=False, order=order, means=means, actor="test")
    again = Means("card", instrument_id=first.payment["instrument_id"], initiator="merchant", series="unscheduled")
    second = authorise(
        merchant_id=tenant.merchant_id, live=False, order=factories.an_order(), means=again, actor="test"
    )
    with reading(ALL) as connection:
        assert card_used(connection, second.payment["id"]) == card_used(connection, first.payment["id"])


def test_a_payment_nobody_tried_to_make_has_no_card(tenant):
    with reading(ALL) as connection, pytest.raises(NoCardUsed):
        card_used(connection, uuid7())


def test_adding_and_removing_are_told_with_before_and_after_and_without_the_address(tenant, put, told):
    entry = put(block.email(GIVEN))
    with atomic(of(tenant.merchant_id, False)) as connection:
        block.unblock(connection, entry_id=entry, reason="was a mistake", actor="staff:bea")
    added, removed = told()
    assert (added["name"], added["actor"]) == ("block_entry.added", "staff:ada")
    assert added["data"] == {
        "block_entry": public_id("blk", entry),
        "before": None,
        "after": {"kind": "email", "hint": "b…@example.org", "reason": "chargebacks"},
    }
    assert (removed["name"], removed["actor"], removed["data"]["after"]) == ("block_entry.removed", "staff:bea", None)
    assert removed["data"]["before"]["reason"] == "chargebacks" and removed["data"]["reason"] == "was a mistake"
    assert "betrug" not in str(added["data"]) + str(removed["data"])


def test_nothing_is_blocked_twice_and_test_and_live_are_apart(put, told):
    put(block.email(GIVEN))
    with pytest.raises(block.AlreadyBlocked):
        put(block.email("betrug@EXAMPLE.org"))
    put(block.email(GIVEN), live=True)
    assert [one["name"] for one in told()] == ["block_entry.added"] * 2


def test_an_entry_of_another_merchant_does_not_exist(put, acquirers):
    entry, other = put(block.email(GIVEN)), factories.tenant(acquirers["A"])
    with pytest.raises(NotFound), atomic(of(other.merchant_id, False)) as connection:
        block.unblock(connection, entry_id=entry, reason="not mine", actor="test")


@pytest.mark.parametrize("typed", ["", "nonsense", "a@", "@b.example"])
def test_what_is_no_email_address_is_refused(typed):
    with pytest.raises(BadEmail):
        block.email(typed)


@pytest.mark.parametrize("typed", ["", "localhost", "192.0.2.0/24", "192.0.2.256", "1.2.3"])
def test_what_is_no_ip_address_is_refused(typed):
    with pytest.raises(block.BadAddress):
        block.ip(typed)


def test_hints_tell_entries_apart_and_give_nobody_away():
    assert block.email(GIVEN).hint == "b…@example.org"
    assert block.ip("192.0.2.7").hint == "192.0.2.…"
    assert block.ip("2001:db8::7").hint == "2001:db8::…"
    assert GIVEN.lower() not in repr(block.email(GIVEN))
