"""Finding payments: by what a caller remembers, and page by page."""

import pytest

from app.connectors.kinds import Payer
from app.core.db import ALL, reading
from app.payments.search import Filters, found, listed
from tests import factories


@pytest.fixture
def erika(tenant):
    payer = Payer(name="Erika Lindenblüh", email="Erika.Lindenblueh@example.org")
    return factories.authorised(tenant, 4_200, merchant_reference="LB-2026-0815", payer=payer).payment


def by_what(text, *, live=False):
    """How a text finds payments: [(field, exact, references)]."""
    with reading(ALL) as connection:
        return [
            (hits.by, hits.exact, [row["merchant_reference"] for row in hits.rows])
            for hits in found(connection, text, live=live)
        ]


@pytest.mark.parametrize(
    ("text", "by", "exact"),
    [
        ("LB-2026-0815", "reference", True),
        (" lb-2026-08 ", "reference", False),
        ("ERIKA.lindenblueh@example.org", "email", True),
        ("erika.l", "email", False),
        ("erika lindenblüh", "name", True),
        ("Erika L", "name", False),
        ("Lindenblüh", "name", True),
        ("lindenbl", "name", False),
    ],
)
def test_a_payment_is_found_by_what_a_caller_remembers(erika, text, by, exact):
    assert next(one for one in by_what(text) if erika["merchant_reference"] in one[2])[:2] == (by, exact)


def test_a_card_is_found_by_its_last_four_digits(tenant, erika):
    assert ("last4", True) in [one[:2] for one in by_what(erika["last4"])]
    assert by_what("9999") == []


def test_what_is_exact_comes_first_and_once(tenant):
    for reference in ("RX-10", "RX-1", "RX-11"):
        factories.authorised(tenant, merchant_reference=reference)
    assert by_what("rx-1") == [("reference", True, ["RX-1"]), ("reference", False, ["RX-10", "RX-11"])]


def test_nothing_is_found_by_nothing_or_in_the_other_mode(erika):
    assert by_what("  ") == []
    assert by_what("%") == []
    assert by_what("LB-2026-0815", live=True) == []


@pytest.fixture
def nine(tenant):
    """References of nine payments, the newest first."""
    made = [factories.authorised(tenant, 100 * number, merchant_reference=f"nine-{number}") for number in range(1, 10)]
    return [done.payment["merchant_reference"] for done in reversed(made)]


def test_the_list_is_read_page_by_page_in_both_directions(tenant, nine):
    filters = Filters(live=False, merchants=[tenant.merchant_id])
    with reading(ALL) as connection:
        first = listed(connection, filters, limit=4)
        second = listed(connection, filters, limit=4, after=first.rows[-1]["id"])
        back = listed(connection, filters, limit=4, before=second.rows[0]["id"])
        oldest = listed(connection, filters, limit=4, oldest_first=True)
    assert [row["merchant_reference"] for row in [*first.rows, *second.rows]] == nine[:8]
    assert [row["id"] for row in back.rows] == [row["id"] for row in first.rows]
    assert (first.has_previous, first.has_next, back.has_previous, second.has_previous) == (False, True, False, True)
    assert [row["merchant_reference"] for row in oldest.rows] == nine[::-1][:4]


@pytest.mark.parametrize(
    ("narrowed", "numbers"),
    [
        ({"currency": "EUR", "least": 300, "most": 500}, (5, 4, 3)),
        ({"statuses": ["authorised"], "most": 200}, (2, 1)),
        ({"statuses": ["authorised", "failed"], "least": 900}, (9,)),
        ({"methods": ["paypal"]}, ()),
        ({"currency": "JPY"}, ()),
    ],
)
def test_the_list_shows_only_what_was_asked_for(tenant, nine, narrowed, numbers):
    with reading(ALL) as connection:
        page = listed(connection, Filters(live=False, merchants=[tenant.merchant_id], **narrowed))
    assert [row["merchant_reference"] for row in page.rows] == [f"nine-{number}" for number in numbers]
