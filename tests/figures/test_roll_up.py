"""The roll-up: what an hour's figures are, that they are counted once, and what happens to them later."""

import threading
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from sqlalchemy import text

from app.core.db import ALL, atomic, of, reading
from app.figures import proofs
from app.figures.roll_up import CURSOR, Rolled, roll_up, runs
from app.ledger.proof import prove
from app.messages.relay import relay
from tests import factories
from tests.figures.history import DAY, HOUR, MONDAY, at, attempts_of, captured, money_of, refunded, rolled

pytestmark = pytest.mark.usefixtures("context")
NOON = MONDAY.replace(minute=0)
MIDNIGHT = NOON - 14 * HOUR  # of Monday in Berlin


def broken() -> dict[str, object]:
    with reading(ALL) as connection:
        return dict(prove(connection, proofs.PROOFS))


def test_an_hour_says_what_was_authorised_captured_and_given_back(tenant):
    done = at(MONDAY, factories.authorised, tenant, 10_000)
    at(MONDAY, factories.authorised, tenant, 3_000)
    at(MONDAY, factories.authorised, tenant, 5_000, currency="JPY")
    at(MONDAY, factories.authorised, tenant, 7_000, card=factories.card("insufficient_funds"))
    at(MONDAY + HOUR, captured, tenant, done, 6_000)
    at(MONDAY + HOUR, captured, tenant, done, 4_000)
    at(MONDAY + 2 * HOUR, refunded, tenant, done, 2_500)
    rolled()
    assert money_of(tenant.merchant_id) == {
        (NOON, "EUR"): {"authorised_count": 2, "authorised_amount": 13_000, "declined_count": 1},
        (NOON, "JPY"): {"authorised_count": 1, "authorised_amount": 5_000},
        (NOON + HOUR, "EUR"): {"captured_count": 2, "captured_amount": 10_000},
        (NOON + 2 * HOUR, "EUR"): {"refunded_count": 1, "refunded_amount": 2_500},
    }
    assert broken() == {}


def test_attempts_are_counted_by_method_country_and_reason(tenant):
    at(MONDAY, factories.authorised, tenant)
    at(MONDAY, factories.authorised, tenant, card=factories.card("visa_austria"))
    at(MONDAY, factories.authorised, tenant, card=factories.card("insufficient_funds"))
    at(MONDAY, factories.authorised, tenant, card=factories.card("insufficient_funds"))
    rolled()
    found = attempts_of(tenant.merchant_id)
    by_outcome = {(country, outcome, code): number for (_, _, country, outcome, code), number in found.items()}
    assert {(start, method) for start, method, *_ in found} == {(NOON, "card")}
    assert by_outcome[("AT", "approved", "")] == 1
    assert sum(number for (_, outcome, _), number in by_outcome.items() if outcome == "approved") == 2
    declined = {code: number for (_, outcome, code), number in by_outcome.items() if outcome == "declined"}
    assert declined == {"insufficient_funds": 2}


def test_what_waits_for_the_payer_is_open_until_they_confirm(tenant):
    done = at(MONDAY, factories.authorised, tenant, card=factories.card("challenge"))
    rolled()
    assert [key[3] for key in attempts_of(tenant.merchant_id)] == ["open"]
    assert money_of(tenant.merchant_id) == {}
    factories.hear(tenant, done, "authorise", "approved", 10_000, reference="confirmed")
    rolled()
    assert [key[3] for key in attempts_of(tenant.merchant_id)] == ["approved"]
    assert money_of(tenant.merchant_id) == {
        (NOON, "EUR"): {"authorised_count": 1, "authorised_amount": 10_000},
    }


def test_what_a_bank_takes_back_counts_as_a_chargeback_and_what_it_gives_back_as_its_reversal(tenant):
    from app.connectors.kinds import DisputeNews

    done = at(MONDAY, factories.captured, tenant, 4_000)
    reference = factories.authorisation_of(done)["provider_reference"]
    for hours, turn in ((1, "charged_back"), (2, "reversed")):
        news = DisputeNews(turn, "dispute-of-figures", "fraudulent")
        more = {"authorisation_reference": reference, "dispute": news, "reference": reference}
        assert at(MONDAY + hours * HOUR, factories.hear, tenant, done, "dispute", "approved", 4_000, **more)
    rolled()
    found = money_of(tenant.merchant_id)
    assert found[(NOON + HOUR, "EUR")] == {"charged_back_count": 1, "charged_back_amount": 4_000}
    assert found[(NOON + 2 * HOUR, "EUR")] == {"reversed_count": 1, "reversed_amount": 4_000}


def test_a_day_is_the_sum_of_its_hours_in_berlin(tenant):
    for hours in (0, 3, 10):  # the last one is half past midnight
        at(MONDAY + hours * HOUR, factories.authorised, tenant, 1_000)
    rolled()
    assert money_of(tenant.merchant_id, "day") == {
        (MIDNIGHT, "EUR"): {"authorised_count": 2, "authorised_amount": 2_000},
        (MIDNIGHT + DAY, "EUR"): {"authorised_count": 1, "authorised_amount": 1_000},
    }
    assert sum(attempts_of(tenant.merchant_id, "day").values()) == 3


def test_nothing_is_counted_twice(tenant):
    at(MONDAY, factories.captured, tenant, 4_000)
    rolled()
    before = money_of(tenant.merchant_id), attempts_of(tenant.merchant_id)
    assert rolled() == Rolled(0, 0)
    with atomic(ALL) as connection:  # all of it once more, as if the cursor had been lost
        connection.execute(text("DELETE FROM reaction_cursors WHERE reaction = :name"), {"name": CURSOR})
    assert rolled().events > 0
    assert (money_of(tenant.merchant_id), attempts_of(tenant.merchant_id)) == before
    assert broken() == {}


def test_a_late_change_takes_its_old_hour_along(tenant):
    done = at(MONDAY, factories.captured, tenant, 4_000)
    rolled()
    factories.hear(tenant, done, "capture", "declined", 4_000, reference="revoked")  # the provider takes its yes back
    assert rolled().hours == 1
    assert money_of(tenant.merchant_id) == {(NOON, "EUR"): {"authorised_count": 1, "authorised_amount": 4_000}}
    assert money_of(tenant.merchant_id, "day") == {
        (MIDNIGHT, "EUR"): {"authorised_count": 1, "authorised_amount": 4_000},
    }
    assert broken() == {}


def test_after_a_pause_it_catches_up_in_steps(tenant):
    for day in range(4):
        at(MONDAY + day * DAY, factories.captured, tenant, 1_000)
    while relay():
        pass
    rounds = 0
    while roll_up(events=5).events == 5:
        rounds += 1
        assert broken() == {}, "what was not rolled up yet is no difference"
    assert rounds >= 3
    assert [found["captured_amount"] for found in money_of(tenant.merchant_id).values()] == [1_000] * 4


def test_two_workers_at_once_count_once(app, tenant):
    at(MONDAY, factories.captured, tenant, 4_000)
    while relay():
        pass
    done: list[Rolled] = []

    def work() -> None:
        with app.app_context():
            done.append(roll_up())

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.events > 0 for one in done).count(True) == 1
    assert money_of(tenant.merchant_id)[(NOON, "EUR")]["captured_amount"] == 4_000


def test_only_the_own_merchants_figures_are_seen(tenant, acquirers):
    other = factories.tenant(acquirers["A"])
    for one in (tenant, other):
        at(MONDAY, factories.authorised, one, 1_000)
    rolled()
    for table in ("money_figures", "attempt_figures"):
        with reading(of(tenant.merchant_id, False)) as connection:
            seen = set(connection.execute(text(f"SELECT merchant_id FROM {table}")).scalars())
        assert seen == {tenant.merchant_id}
        with reading(of(tenant.merchant_id, True)) as connection:
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def test_the_hour_in_an_id_is_the_hour_of_the_operation(tenant):
    at(datetime(2026, 6, 15, 12, 59, 59, 900_000, tzinfo=UTC), factories.authorised, tenant)
    rolled()
    [(start, _)] = money_of(tenant.merchant_id)
    assert start in (NOON, NOON + HOUR), "asked in the last tenth of an hour, written down in it or in the next"
    assert broken() == {}


def test_hours_in_a_row_are_read_together_but_not_too_many():
    hours = [NOON + number * HOUR for number in (0, 1, 2, 5, 7, 8)]
    assert list(runs(hours)) == [
        (NOON, NOON + 3 * HOUR),
        (NOON + 5 * HOUR, NOON + 6 * HOUR),
        (NOON + 7 * HOUR, NOON + 9 * HOUR),
    ]
    two_weeks = list(runs([NOON + number * HOUR for number in range(14 * 24)]))
    assert len(two_weeks) == 7 and all(one[1] == two[0] for one, two in pairwise(two_weeks))
    assert list(runs([])) == []
