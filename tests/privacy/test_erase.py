"""Everything of a person that no law wants kept goes in one transaction; the rest stays, and so does the seal."""

import pytest
from sqlalchemy import text

from app.core.db import ALL, atomic, of, reading
from app.core.errors import NotFound
from app.core.events import tell
from app.core.gone import unexplained
from app.core.ids import uuid7
from app.core.origin import came_from
from app.core.sequence import sequence
from app.core.verify import verify
from app.customers.restrict import restrict
from app.payments.search import Filters, listed
from app.privacy import person
from app.privacy.erase import erase, preview
from app.risk import take
from tests import factories
from tests.privacy.conftest import EMAIL, SECRET


def _erase(known, reason="asked for it"):
    with atomic(known.scope) as connection:
        return erase(connection, customer_id=known.row["id"], actor="staff:usr_1", reason=reason)


def test_what_is_personal_goes_everywhere_but_on_vouchers(known, column):
    _erase(known)
    with reading(ALL) as connection:
        tables = connection.execute(
            text("SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'public'")
        ).scalars()
        found = {}
        for table in sorted(tables):
            rows = connection.execute(
                text(f'SELECT count(*) FROM "{table}" t WHERE t::text ILIKE :secret'), {"secret": "%geheim%"}
            ).scalar_one()
            if rows:
                found[table] = rows
    assert found == {"payments": 2}, "the name stays on the two payments, for eight years"
    assert column("SELECT sealed FROM mails WHERE payment_id = :id", id=known.paid.payment["id"]) == [None]
    assert column("SELECT step FROM taken_steps WHERE merchant_id = :id", id=known.tenant.merchant_id) == []
    tokens = "SELECT instrument_id FROM instrument_tokens WHERE merchant_id = :id"
    assert column(tokens, id=known.tenant.merchant_id) == []


def test_it_is_told_with_what_went_and_why_and_without_a_name(known, column):
    _erase(known)
    [data] = column("SELECT data FROM events WHERE name = 'customer.erased' AND subject_id = :id", id=known.row["id"])
    assert data["reason"] == "asked for it"
    assert data["removed"] == {"customer": 1, "instruments": 1, "answers": 2, "notes": 1, "mails": 1, "events": 2}
    assert SECRET not in str(data) and EMAIL not in str(data)


def test_the_sealed_log_is_whole_afterwards(known):
    before = verify()
    _erase(known)
    sequence()
    after = verify()
    assert after.broken is None
    assert after.events == before.events + 1 and after.erased > before.erased
    gone = {one.event_id for one in unexplained()}
    assert not gone, "each has its reason in the log: payments, a guest's too, cards, and the customer"


def test_answers_about_a_disputed_payment_stay_until_the_dispute_is_over(disputed, column):
    _erase(disputed)
    left = column("SELECT payment_id FROM taken_steps WHERE merchant_id = :id", id=disputed.tenant.merchant_id)
    assert left == [disputed.guest.payment["id"]]
    with reading(ALL) as connection:
        assert take.taken(connection, left[0], "details") == {"name": SECRET, "city": "Geheimstadt"}


def test_where_members_of_staff_were_is_theirs_and_stays(known, column):
    came_from({"ip_address": "192.0.2.9"})
    try:
        with atomic(known.scope):
            whose = {"merchant_id": known.tenant.merchant_id, "live": False, "audience": "staff"}
            tell("customer.read", subject=("customer", known.row["id"]), actor="staff:usr_2", **whose)
    finally:
        came_from({})
    _erase(known)
    kept = column("SELECT body FROM event_details WHERE merchant_id = :id", id=known.tenant.merchant_id)
    assert kept == [{"ip_address": "192.0.2.9"}]


def test_the_preview_counts_what_there_is_and_names_the_laws(known):
    with reading(known.scope) as connection:
        kinds = {one.title: one for one in preview(connection, known.row["id"])}
    assert kinds["Name and addresses"].stays == ""
    assert (kinds["Payments"].count, kinds["Answers to a risk check"].count, kinds["E-mails"].count) == (2, 2, 1)
    assert "§ 147 (3) AO" in kinds["Payments"].stays


def test_a_second_time_changes_nothing(known, column):
    first = _erase(known)
    assert _erase(known)["erased_at"] == first["erased_at"]
    assert (
        len(column("SELECT id FROM events WHERE name = 'customer.erased' AND subject_id = :id", id=known.row["id"]))
        == 1
    )


def test_other_people_of_the_merchant_keep_what_is_theirs(known, column):
    other = factories.authorised(known.tenant)
    with atomic(known.scope) as connection:
        whose = {"merchant_id": known.tenant.merchant_id, "live": False}
        take.take(connection, **whose, payment_id=other.payment["id"], step="details", answer={"name": "Max"})
    _erase(known)
    assert column("SELECT payment_id FROM taken_steps WHERE merchant_id = :id", id=known.tenant.merchant_id) == [
        other.payment["id"]
    ]
    details = "SELECT body->>'payer_name' FROM event_details WHERE merchant_id = :id AND body ? 'payer_name'"
    assert column(details, id=known.tenant.merchant_id) == ["Erika Muster"]


def test_another_merchants_customer_does_not_exist(known, acquirers):
    other = factories.tenant(acquirers["A"])
    with pytest.raises(NotFound), atomic(of(other.merchant_id, False)) as connection:
        erase(connection, customer_id=known.row["id"], actor="test")
    with pytest.raises(NotFound), atomic(ALL) as connection:
        erase(connection, customer_id=uuid7(), actor="test")


def test_what_was_never_paid_is_no_voucher_and_loses_its_name(known, column):
    payer = factories.Payer(name=SECRET, email=EMAIL)
    factories.authorised(known.tenant, card=factories.card("insufficient_funds"), payer=payer)
    _erase(known)
    named = "SELECT status FROM payments WHERE merchant_id = :id AND payer_name IS NOT NULL ORDER BY id"
    assert column(named, id=known.tenant.merchant_id) == ["authorised", "captured"]


def test_more_payments_than_one_step_takes_are_refused_and_nothing_is_done(known, column, monkeypatch):
    monkeypatch.setattr(person, "MOST", 1)
    with pytest.raises(person.TooManyPayments):
        _erase(known)
    assert column("SELECT name FROM customers WHERE id = :id", id=known.row["id"]) == [SECRET]


@pytest.mark.parametrize("was_restricted", [True, False])
def test_vouchers_are_blocked_afterwards_a_guests_too_and_new_payments_are_not(known, column, was_restricted):
    if was_restricted:
        with atomic(known.scope) as connection:
            restrict(connection, customer_id=known.row["id"], reason="asked", actor="staff:usr_1")
        assert set(_blocked(known).values()) == {True}
    else:
        assert set(_blocked(known).values()) == {False}
    _erase(known)
    again = factories.captured(known.tenant, payer=factories.Payer(name=SECRET, email=EMAIL))
    ids = known.paid.payment["id"], known.guest.payment["id"], again.payment["id"]
    assert [_blocked(known)[id] for id in ids] == [True, True, False]


def _blocked(known):
    with reading(known.scope) as connection:
        page = listed(connection, Filters(live=False, merchants=[known.tenant.merchant_id]))
    return {row["id"]: row["payer_blocked"] for row in page.rows}
