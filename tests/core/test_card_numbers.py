"""Card numbers are recognised in texts where none belongs; what only looks alike is left in peace."""

import random

import pytest

from app.core.card_numbers import CardNumberInText, holds_card_number, luhn, refuse_card_number
from app.core.logs import redact
from sandbox.acquirers.cards import CARDS


@pytest.mark.parametrize("number", [card.number for card in CARDS])
def test_every_test_card_is_recognised_however_it_is_written(number):
    grouped = " ".join(number[place : place + 4] for place in range(0, len(number), 4))
    for text in (number, grouped, grouped.replace(" ", "-"), f"card {number}.", f"({grouped}), please", f"7 {grouped}"):
        assert holds_card_number(text), text
        with pytest.raises(CardNumberInText):
            refuse_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241",  # a wrong check digit
        "20261128123450",  # a time: Luhn-valid, no brand begins like this
        "4006381333931",  # an EAN
        "DE89 3704 0044 0532 0130 00",
        "DE12500105170648489890",
        "0.4242424242424242",
        "order4242424242424242",
        "+49 30 1234567 89",
        "1000000000000008",
        "",
    ],
)
def test_what_only_looks_alike_is_no_card_number(text):
    assert not holds_card_number(text)


def test_few_numbers_of_a_shop_pass_for_a_card():
    numbers = [f"{chosen.randrange(10**13, 10**14)}" for chosen in [random.Random(7)] for _ in range(5_000)]
    assert sum(map(holds_card_number, numbers)) < 0.01 * len(numbers)


def test_the_check_digit():
    assert [digit for digit in range(10) if luhn(f"424242424242424{digit}")] == [2]


@pytest.mark.parametrize(
    "text",
    ["paid with 4242424242424242.", ".4242 4242 4242 4242", "4242-4242-4242-4242, thanks", "see:4242424242424242"],
)
def test_logs_blank_it_before_and_after_a_full_stop(text):
    assert "4242" not in redact(text) and "…" in redact(text)


@pytest.mark.parametrize("text", ["at 1764362304.3687081234", "0.4242424242424242", "4242424242424242.5"])
def test_logs_keep_decimal_fractions(text):
    assert redact(text) == text
