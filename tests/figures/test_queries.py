"""What dashboards read is what the payments of the period add up to, whatever rows it is read from."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.core.db import ALL, of, reading
from app.figures import queries
from app.figures.periods import Bucket
from app.figures.queries import Wanted
from tests import factories
from tests.figures.history import DAY, MONDAY, at, captured, rolled

pytestmark = pytest.mark.usefixtures("context")
BERLIN = ZoneInfo("Europe/Berlin")


def days(first: int, last: int) -> list[Bucket]:
    """Days of June 2026 in Berlin."""
    moments = [datetime(2026, 6, first, tzinfo=BERLIN) + timedelta(days=number) for number in range(last - first + 2)]
    return [Bucket(*pair) for pair in pairwise(moments)]


@pytest.fixture
def june(tenant):
    """Captures of 1,00 to 5,00 at noon of the 15th to the 19th, and one of 9,00 at half past midnight of the 16th."""
    for number in range(5):
        done = at(MONDAY + number * DAY, factories.authorised, tenant, 100 * (number + 1))
        at(MONDAY + number * DAY, captured, tenant, done, 100 * (number + 1))
    night = datetime(2026, 6, 16, 0, 30, tzinfo=BERLIN)  # still the 15th in UTC
    done = at(night, factories.authorised, tenant, 900)
    at(night, captured, tenant, done, 900)
    rolled()
    return Wanted(live=False, merchants=[tenant.merchant_id])


def read(wanted, buckets, scope=ALL):
    with reading(scope) as connection:
        return queries.money(connection, wanted, buckets)


def test_days_are_those_of_the_reader(june):
    found = read(june, days(15, 19))
    assert {row["bucket"]: row["captured_amount"] for row in found} == {0: 100, 1: 200 + 900, 2: 300, 3: 400, 4: 500}


def test_somebody_elsewhere_has_other_days(june):
    zone = ZoneInfo("UTC")
    [monday] = read(june, [Bucket(datetime(2026, 6, 15, tzinfo=zone), datetime(2026, 6, 16, tzinfo=zone))])
    assert monday["captured_amount"] == 100 + 900


def test_a_long_bucket_says_the_same_as_its_days(june):
    [whole] = read(june, [Bucket(days(14, 14)[0].starts, days(20, 20)[0].ends)])
    assert (whole["captured_count"], whole["captured_amount"], whole["authorised_count"]) == (6, 2_400, 6)


def test_currencies_stay_apart(tenant):
    for currency, amount in (("EUR", 1_000), ("JPY", 1_000), ("EUR", 500)):
        at(MONDAY, factories.captured, tenant, amount, currency=currency)
    rolled()
    found = read(Wanted(False, [tenant.merchant_id]), days(15, 15))
    assert {row["currency"]: row["captured_amount"] for row in found} == {"EUR": 1_500, "JPY": 1_000}


def test_nobody_sees_more_than_their_merchants(june, tenant, acquirers):
    other = factories.tenant(acquirers["A"])
    at(MONDAY, factories.captured, other, 7_777)
    rolled()
    [mine] = read(Wanted(live=False), days(15, 15), of(other.merchant_id, False))
    assert mine["captured_amount"] == 7_777
    assert read(Wanted(False, [tenant.merchant_id]), days(15, 15), of(other.merchant_id, False)) == []
    assert read(Wanted(True), days(15, 15), of(other.merchant_id, True)) == []


def test_attempts_add_up_by_contract_method_country_and_reason(tenant, acquirers):
    second = factories.add_contract_to(tenant, "a second one", priority=1, acquirer=acquirers["A"])
    for card in ("insufficient_funds", "insufficient_funds", "do_not_honour"):
        at(MONDAY, factories.authorised, tenant, card=factories.card(card))
    at(MONDAY, factories.authorised, tenant)
    rolled()
    with reading(of(tenant.merchant_id, False)) as connection:
        found = queries.attempts(connection, Wanted(False), days(15, 15)[0])
    by = {kind: {} for kind in ("contract", "method", "country", "code")}
    for row in found:
        by[row["by"]][(row["key"], row["outcome"])] = row["attempts"]
    assert by["method"] == {("card", "approved"): 1, ("card", "declined"): 3}
    assert by["code"] == {("insufficient_funds", "declined"): 2, ("do_not_honour", "declined"): 1}
    assert sum(by["country"].values()) == sum(by["contract"].values()) == 4
    assert {key for key, _ in by["contract"]} == {str(second)}
    assert {row["label"] for row in found if row["by"] == "contract"} == {"a second one"}
