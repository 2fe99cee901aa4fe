"""Every reason that a bank can give has plain words in both languages."""

from datetime import UTC, datetime

import pytest

from app.connectors.kinds import DeclineCode
from hosted_pages import words
from tools.translations import german


@pytest.mark.parametrize("code", [*DeclineCode, "not_sent", "refused_by_risk_check", "cancelled"])
def test_each_reason_has_its_sentence(code):
    sentence = words.REASONS[str(code)]
    assert sentence in german()
    for jargon in ("3-D", "issuer", "acquirer", "fraud", "stolen", "block"):
        assert jargon not in sentence


def test_a_reason_nobody_knows_still_says_something():
    assert words.reason("no_such_word") == words.reason(None) == words.OTHER_REASON


def test_nobody_is_told_that_a_card_is_reported_stolen():
    assert words.reason("lost_or_stolen") == words.reason("not_permitted") == words.reason("suspected_fraud")


@pytest.mark.parametrize(
    ("language", "minor", "currency", "shown"),
    [
        ("de", 123_456, "EUR", "1.234,56 €"),
        ("en", 123_456, "EUR", "€1,234.56"),
        ("de", 500, "JPY", "500 ¥"),
        ("en", 1_500, "KWD", "KWD 1.500"),
    ],
)
def test_amounts_are_written_as_the_language_does(language, minor, currency, shown):
    assert words.amount(minor, currency, language).replace("\xa0", " ") == shown


def test_times_are_those_of_the_merchants_zone():
    at = datetime(2026, 11, 21, 13, 5, tzinfo=UTC)
    assert words.moment(at, "de", "Europe/Berlin") == "21.11.2026, 14:05"
    assert words.moment(at, "en", "Europe/Berlin") == "21 Nov 2026, 14:05"


def test_a_card_is_named_by_brand_and_last_four():
    assert words.card_of({"brand": "visa", "last4": "4242"}) == "Visa •••• 4242"
    assert words.card_of({"brand": None, "last4": "4242"}) == "•••• 4242"
    assert words.card_of({"brand": "paypal", "last4": None}) is None
