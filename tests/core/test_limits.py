"""Limits: what is named is capped, in the currencies named with it and in no other."""

import pytest

from app.core.limits import (
    NOTHING,
    UNLIMITED,
    Allowance,
    BadLimit,
    Limit,
    check,
    exceeded,
    is_within,
    limit_of,
    of_json,
    to_json,
)
from app.core.money import UnknownCurrency

REFUNDS = {"payment.refund": {"EUR": Limit(100_00, 500_00)}}


def test_they_are_stored_and_read_again():
    assert of_json(to_json(REFUNDS)) == REFUNDS
    assert to_json({"payment.refund": {"EUR": Limit(each=5)}}) == {"payment.refund": {"EUR": {"each": 5}}}


def test_an_action_that_is_not_named_has_no_limit():
    assert limit_of(REFUNDS, "payment.capture", "EUR") == Limit()


def test_another_currency_than_those_named_is_not_allowed():
    assert limit_of(REFUNDS, "payment.refund", "CHF") == NOTHING


def bound(amount, *limits, used=0):
    return exceeded([Allowance(limit) for limit in limits], amount, lambda _one: used)


def test_one_grant_alone_has_to_allow_it():
    each, daily = Limit(10, None), Limit(None, 50)
    assert bound(10, each, daily) is None
    assert bound(50, each, daily) is None
    assert bound(51, each, daily) == ("daily", 50), "two narrow grants make no wide one"
    assert bound(20, each, daily, used=40) == ("daily", 50)
    assert bound(250, Limit(100, 500), Limit(200, 300)) == ("each", 200)
    assert bound(10**9, Limit(100, 500), Limit()) is None


def test_each_grant_counts_its_own_day():
    theirs, ours = Allowance(Limit(None, 50)), Allowance(Limit(None, 50), frozenset())
    assert exceeded([theirs, ours], 20, lambda one: 40 if one is theirs else 10) is None


def test_without_a_grant_nothing_is_allowed():
    assert bound(1) == ("each", 0)
    assert exceeded(UNLIMITED, 10**12, lambda _one: 10**12) is None


@pytest.mark.parametrize(
    ("inner", "outer", "within"),
    [
        (Limit(), Limit(), True),
        (Limit(), Limit(10), False),
        (Limit(10), Limit(10), True),
        (Limit(11), Limit(10), False),
        (Limit(10), Limit(10, 50), False),
        (Limit(10, 50), Limit(10, 50), True),
        (Limit(None, 10), Limit(10), True),
        (Limit(None, 10), Limit(10, 5), False),
    ],
)
def test_what_is_within_another_limit(inner, outer, within):
    assert is_within(inner, outer) is within


@pytest.mark.parametrize("limit", [Limit(), Limit(0), Limit(-5), Limit(500, 100), Limit(None, 0)])
def test_a_limit_that_makes_no_sense_is_refused(limit):
    with pytest.raises(BadLimit):
        check({"payment.refund": {"EUR": limit}})


def test_a_currency_that_does_not_exist_is_refused():
    with pytest.raises(UnknownCurrency):
        check({"payment.refund": {"XXX": Limit(5)}})
