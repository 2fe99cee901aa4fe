"""Limits: what is named is capped, in the currencies named with it and in no other."""

import pytest

from app.core.limits import NOTHING, BadLimit, Limit, check, limit_of, of_json, to_json, widest
from app.core.money import UnknownCurrency

REFUNDS = {"payment.refund": {"EUR": Limit(100_00, 500_00)}}


def test_they_are_stored_and_read_again():
    assert of_json(to_json(REFUNDS)) == REFUNDS
    assert to_json({"payment.refund": {"EUR": Limit(each=5)}}) == {"payment.refund": {"EUR": {"each": 5}}}


def test_an_action_that_is_not_named_has_no_limit():
    assert limit_of(REFUNDS, "payment.capture", "EUR") == Limit()


def test_another_currency_than_those_named_is_not_allowed():
    assert limit_of(REFUNDS, "payment.refund", "CHF") == NOTHING


def test_of_several_grants_the_most_generous_counts():
    assert widest([Limit(100, 500), Limit(200, 300)]) == Limit(200, 500)
    assert widest([Limit(100, 500), Limit()]) == Limit()
    assert widest([Limit(100, None), Limit(200, 300)]) == Limit(200, None)


def test_without_a_grant_nothing_is_allowed():
    assert widest([]) == NOTHING


@pytest.mark.parametrize("limit", [Limit(), Limit(0), Limit(-5), Limit(500, 100), Limit(None, 0)])
def test_a_limit_that_makes_no_sense_is_refused(limit):
    with pytest.raises(BadLimit):
        check({"payment.refund": {"EUR": limit}})


def test_a_currency_that_does_not_exist_is_refused():
    with pytest.raises(UnknownCurrency):
        check({"payment.refund": {"XXX": Limit(5)}})
