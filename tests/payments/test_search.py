"""The list of payments, page by page and with its filters."""

import pytest

from app.core.db import ALL, reading
from app.payments.search import Filters, listed
from tests import factories


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
