"""Where a payer stands, for every state there is: no combination is left without a page."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from app.payments.checkout import Opened
from app.payments.states import CHECKOUT, OPERATION, STATUSES
from hosted_pages.standing import PATIENCE, PLACE, UNPAID, Standing, standing

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def stand(state: str, status: str, tried: str | None, *, age: timedelta = timedelta(0), left: int = 60) -> Standing:
    checkout = {"state": state, "expires_at": AT + timedelta(seconds=left)}
    attempt = {"state": tried, "updated_at": AT - age} if tried else None
    return standing(Opened(checkout, {"status": status, "cancel_pending": 0}, {}, {}), attempt, AT)


@pytest.mark.parametrize(
    ("state", "status", "tried", "expected"),
    [
        ("open", "created", None, Standing.OPEN),
        ("open", "failed", "declined", Standing.DECLINED),
        ("open", "failed", "failed", Standing.DECLINED),
        ("open", "requires_action", "action", Standing.ACTION),
        ("open", "pending", "submitted", Standing.WAITING),
        ("open", "pending", "pending", Standing.WAITING),
        ("open", "pending", "unknown", Standing.WAITING),
        ("open", "authorised", "succeeded", Standing.PAID),  # the checkout's own row may lag behind
        ("completed", "authorised", "succeeded", Standing.PAID),
        ("completed", "captured", "succeeded", Standing.PAID),
        ("completed", "refunded", "succeeded", Standing.PAID),
        ("completed", "charged_back", "succeeded", Standing.PAID),
        ("completed", "cancelled", "succeeded", Standing.REVERSED),
        ("completed", "expired", "succeeded", Standing.REVERSED),
        ("cancelled", "cancelled", None, Standing.CANCELLED),
        ("open", "cancelled", "declined", Standing.CANCELLED),  # the shop cancelled while the payer was to confirm
        ("cancelled", "authorised", "succeeded", Standing.CANCELLED),  # a late yes, being given back
        ("expired", "expired", None, Standing.EXPIRED),
        ("expired", "authorised", "succeeded", Standing.EXPIRED),
        ("expired", "pending", "unknown", Standing.WAITING),  # the answer may still come
        ("expired", "requires_action", "action", Standing.EXPIRED),
    ],
)
def test_each_state_has_its_page(state, status, tried, expected):
    assert stand(state, status, tried) is expected


def test_time_over_counts_only_where_nothing_is_under_way():
    assert stand("open", "created", None, left=0) is Standing.EXPIRED
    assert stand("open", "failed", "declined", left=-1) is Standing.EXPIRED
    assert stand("open", "pending", "submitted", left=-1) is Standing.WAITING
    assert stand("open", "requires_action", "action", left=-1) is Standing.ACTION


@pytest.mark.parametrize(("tried", "patience"), PATIENCE.items())
def test_nobody_is_made_to_watch_for_long(tried, patience):
    assert stand("open", "pending", tried, age=patience) is Standing.WAITING
    assert stand("open", "pending", tried, age=patience + timedelta(seconds=1)) is Standing.PENDING


def test_every_combination_stands_somewhere_and_every_standing_has_a_place():
    for state, status, tried in itertools.product(CHECKOUT.states, STATUSES, [None, *OPERATION.states]):
        assert stand(state, status, tried) in PLACE
    assert set(PLACE) == set(Standing)
    assert set(STATUSES) >= UNPAID
