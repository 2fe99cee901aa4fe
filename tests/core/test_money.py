from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import (
    EXPONENTS,
    LARGEST_MINOR,
    AmbiguousAmount,
    BadAmount,
    Money,
    UnknownCurrency,
    from_decimal_text,
    parse_typed,
    to_decimal_text,
)


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("12,50", "EUR", 1250),
        ("12.50", "EUR", 1250),
        ("12,5", "EUR", 1250),
        ("12", "EUR", 1200),
        (" 1.234,56 € ", "EUR", 123456),
        ("1,234.56", "EUR", 123456),
        ("1 234,56 EUR", "EUR", 123456),
        ("1.234.567", "EUR", 123456700),
        ("1.234.567,8", "EUR", 123456780),
        ("500", "JPY", 500),
        ("1.234.567", "JPY", 1234567),
        ("1,234", "KWD", 1234),
        ("0,05", "EUR", 5),
    ],
)
def test_what_people_type_is_understood(typed, currency, minor):
    assert parse_typed(typed, currency) == minor


@pytest.mark.parametrize("typed", ["1.234", "1,234", "12,345", "12,"])
def test_what_can_be_read_in_two_ways_is_refused(typed):
    with pytest.raises(AmbiguousAmount):
        parse_typed(typed, "EUR")


@pytest.mark.parametrize(
    "typed", ["", "abc", "-5", "1,2,3", "1.23,456.7", "12,50,", "1e5", "١٢", "12.3.4,5", "9" * 30, "\x00", "12;50"]
)
def test_what_is_not_an_amount_is_refused(typed):
    with pytest.raises(BadAmount):
        parse_typed(typed, "EUR")


def test_an_unknown_currency_is_refused():
    with pytest.raises(UnknownCurrency):
        Money(1, "XYZ")


@given(st.integers(0, LARGEST_MINOR), st.sampled_from(sorted(EXPONENTS)))
def test_the_wire_form_and_back_loses_nothing(minor, currency):
    text = to_decimal_text(minor, currency)
    assert from_decimal_text(text, currency) == minor
    assert Decimal(text) == Money(minor, currency).decimal
    assert "e" not in text.lower()


@given(st.integers(0, LARGEST_MINOR), st.sampled_from(["EUR", "KWD"]), st.sampled_from([(".", ","), (",", ".")]))
def test_amounts_written_with_both_separators_are_read_back(minor, currency, signs):
    group, point = signs
    digits = EXPONENTS[currency]
    whole, part = divmod(minor, 10**digits)
    typed = f"{whole:,}".replace(",", group) + point + f"{part:0{digits}d}"
    if whole >= 1000:
        assert parse_typed(typed, currency) == minor


@pytest.mark.parametrize("text", ["12.345", "abc", "NaN", "Infinity", ""])
def test_a_wire_amount_that_does_not_fit_is_refused(text):
    with pytest.raises(BadAmount):
        from_decimal_text(text, "EUR")
