"""Finding payments by what a caller remembers; every part of it reads an index."""

import re

import pytest
from sqlalchemy import text

from app.connectors.kinds import DisputeNews, Payer
from app.core.db import ALL, reading
from app.core.fast import read_together
from app.core.ids import first_and_last, public_id
from app.payments import find
from tests import factories

NUMBERS = {"order_number": "B-77012", "customer_number": "KD-9"}


@pytest.fixture
def erika(tenant):
    payer = Payer(name="Erika Lindenblüh", email="Erika.Lindenblueh@example.org")
    return factories.authorised(tenant, 4_200, merchant_reference="LB-2026-0815", payer=payer, **NUMBERS).payment


def asked(typed, *statements, live=False):
    with reading(ALL) as connection:
        return read_together(connection, find.given(typed, live=live), *statements)


def by_what(typed, *, live=False, personal=True):
    """How a text finds payments: {(way, exact): references}."""
    found = {}
    for row in asked(typed, find.remembered(typed, personal=personal, limit=20), live=live)[0]:
        found.setdefault((row["by"], row["exact"]), []).append(row["merchant_reference"])
    return found


@pytest.mark.parametrize(
    ("typed", "way"),
    [
        ("LB-2026-0815", ("reference", "yes")),
        ("lb-2026-08", ("reference", "no")),
        ("b-77012", ("order", "yes")),
        ("B-7701", ("order", "no")),
        ("KD-9", ("customer", "yes")),
        ("kd-", ("customer", "no")),
        ("ERIKA.lindenblueh@example.org", ("email", "yes")),
        ("erika.l", ("email", "no")),
        ("erika lindenblüh", ("name", "yes")),
        ("Erika L", ("name", "no")),
        ("Lindenblüh", ("name", "yes")),
        ("lindenbl", ("name", "no")),
    ],
)
def test_a_payment_is_found_by_what_a_caller_remembers(erika, typed, way):
    assert list(by_what(typed)) == [way]
    assert set(by_what(typed)[way]) == {"LB-2026-0815"}


def test_a_card_is_found_by_its_last_four_digits(erika):
    assert ("last4", "yes") in by_what(erika["last4"])
    assert by_what("9999") == {}


def test_what_is_exact_stands_apart_from_what_begins_so(tenant):
    for reference in ("RX-10", "RX-1", "RX-11"):
        factories.authorised(tenant, merchant_reference=reference)
    assert by_what("rx-1") == {("reference", "yes"): ["RX-1"], ("reference", "no"): ["RX-10", "RX-11"]}


def test_nothing_is_found_by_a_pattern_or_in_the_other_mode(erika):
    assert by_what("%") == {}
    assert by_what("LB-2026-0815", live=True) == {}


@pytest.mark.parametrize("typed", ["Lindenblüh", "erika.lindenblueh@example.org", "erika l"])
def test_without_the_right_to_see_names_they_are_not_found_either(erika, typed):
    assert by_what(typed, personal=False) == {}


def test_the_beginning_of_an_id_finds_it(erika):
    key = public_id("pay", erika["id"])
    assert by_what(key[:20]) == {("id", "no"): ["LB-2026-0815"]}
    assert ("id", "no") not in by_what(key[:6]), "two letters are no id"
    assert by_what(f"{key[:20]}zzzz") == {}
    first, last = first_and_last("pay", key[:20])
    assert first <= erika["id"] <= last


def test_what_a_provider_calls_it_finds_it(tenant):
    done = factories.captured(tenant)
    reference = factories.authorisation_of(done)["provider_reference"]
    other = done.operation["provider_reference"]
    for typed in (reference, other):
        assert [row["id"] for row in asked(typed, find.OF_PROVIDER)[0]] == [done.payment["id"]], typed
    assert asked(reference, find.OF_PROVIDER, live=True) == [[]]
    assert asked(reference.upper(), find.OF_PROVIDER) == [[]], "providers tell upper from lower case"


def test_a_dispute_is_found_by_its_payment(tenant):
    done = factories.captured(tenant, 4_000)
    reference = factories.authorisation_of(done)["provider_reference"]
    about = DisputeNews("charged_back", "case-4711", "fraudulent", fee=0, respond_by=None)
    factories.hear(
        tenant,
        done,
        "dispute",
        "approved",
        4_000,
        reference=reference,
        authorisation_reference=reference,
        dispute=about,
    )
    assert asked(reference, find.OF_PROVIDER)[0][0]["status"] == "charged_back"


@pytest.mark.parametrize("typed", ["lb-2026", "4242", "pay_01h4k2"])
@pytest.mark.parametrize("statement", ["remembered", "of_provider"])
def test_no_search_reads_a_whole_table(erika, typed, statement):
    """With sequential scans and sorts as dear as they can be made, the plan has none of either in what can grow."""
    asks = find.remembered(typed, personal=True, limit=20) if statement == "remembered" else find.OF_PROVIDER
    with reading(ALL) as connection:
        for setting in ("enable_seqscan", "enable_bitmapscan"):
            connection.execute(text(f"SET LOCAL {setting} = off"))
        driver = connection.connection.driver_connection
        plan = driver.execute(b"EXPLAIN " + asks.sql, find.given(typed, live=False)).fetchall()
    lines = [row[0] for row in plan]
    scans = [
        line for line in lines if re.search(r"Scan", line) and re.search(r" on (payments|operations|authoris)", line)
    ]
    assert scans and all("Index" in line for line in scans), "\n".join(lines)
    assert not any(re.search(r"Seq Scan on (payments|operations|authorisations)", line) for line in lines)
