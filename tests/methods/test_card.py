"""Reading a card form: what is taken, what is refused, and that numbers stay where they belong."""

from datetime import date

import pytest

from app.methods import card
from sandbox.acquirers.cards import CARDS

TODAY = date(2026, 11, 21)
GOOD = {"number": "4242 4242 4242 4242", "expiry": "12/31", "code": "123", "holder": "Erika  Mustermann "}


def read(**typed: str):
    return card.read({**GOOD, **typed}, TODAY)


def test_a_good_card_is_read():
    given = read()
    assert given.wrong == {}
    assert given.card and (given.card.number, given.card.security_code) == ("4242424242424242", "123")
    assert (given.card.expiry_year, given.card.expiry_month, given.card.holder) == (2031, 12, "Erika Mustermann")


@pytest.mark.parametrize("published", CARDS, ids=lambda published: published.name)
def test_every_published_test_card_is_read(published):
    given = read(number=published.printed, code=published.security_code)
    assert given.card and given.card.number == published.number


@pytest.mark.parametrize(
    "number", ["4242424242424242", "4242-4242-4242-4242", " 4242\u00a04242\u202f4242 4242 ", "\t4242 4242 4242 4242\n"]
)
def test_spaces_and_dashes_do_not_matter(number):
    given = read(number=number)
    assert given.card and given.card.number == "4242424242424242"


@pytest.mark.parametrize(
    "number",
    [
        "4242424242424241",
        "424242424242",
        "0000000000000000",
        "42424242424242424242",
        "4242x",
        "４２４２４２４２４２４２４２４２",
        "4" * 200,
    ],
)
def test_a_wrong_number_is_refused(number):
    assert read(number=number).wrong == {"number": card.NUMBER_WRONG}


@pytest.mark.parametrize(
    ("typed", "year", "month"),
    [
        ("12/31", 2031, 12),
        ("1231", 2031, 12),
        ("1/31", 2031, 1),
        (" 01 / 31 ", 2031, 1),
        ("01/2031", 2031, 1),
        ("012031", 2031, 1),
        ("01-31", 2031, 1),
        ("01.31", 2031, 1),
        ("11/26", 2026, 11),  # good until the end of this month
    ],
)
def test_the_date_may_be_written_in_many_ways(typed, year, month):
    given = read(expiry=typed)
    assert given.card and (given.card.expiry_year, given.card.expiry_month) == (year, month)


@pytest.mark.parametrize(
    "typed", ["", "1", "13/31", "00/31", "12/99", "1/1/31", "12/1931", "Dez 31", "4242424242424242"]
)
def test_what_is_no_date_is_refused_and_not_shown_again(typed):
    given = read(expiry=typed)
    assert given.wrong == {"expiry": card.EXPIRY_MISSING}
    assert "expiry" not in given.keep


def test_a_card_that_has_expired_is_told_as_such():
    given = read(expiry="10/26")
    assert given.wrong == {"expiry": card.EXPIRED}
    assert given.keep["expiry"] == "10/26"


@pytest.mark.parametrize(
    ("number", "code", "sentence"),
    [
        ("4242424242424242", "", card.CODE_MISSING),
        ("4242424242424242", "12", card.CODE_MISSING),
        ("4242424242424242", "1234", card.CODE_MISSING),
        ("4242424242424242", "12a", card.CODE_MISSING),
        ("4242424242424242", "١٢٣", card.CODE_MISSING),
        ("378282246310005", "123", card.CODE_MISSING_AMEX),
    ],
)
def test_a_code_of_the_wrong_length_is_refused(number, code, sentence):
    assert read(number=number, code=code).wrong == {"code": sentence}


@pytest.mark.parametrize(
    "holder", ["", " ", "E", "x" * 61, "Eri\x00ka", "Eri\nka\x1b", "4242 4242 4242 4242", "Erika 123", "12"]
)
def test_what_is_no_name_is_refused_and_not_shown_again(holder):
    given = read(holder=holder)
    assert given.wrong == {"holder": card.HOLDER_MISSING}
    assert given.keep["holder"] == ""


@pytest.mark.parametrize("holder", ["Erika Mustermann", "Jürgen-Öztürk O’Neil", "李小龍", "Karl 3. von Q."])
def test_names_of_any_script_are_names(holder):
    given = read(holder=holder)
    assert given.card and given.card.holder == holder


def test_neither_number_nor_code_is_ever_kept_or_shown():
    for given in (read(), read(expiry="")):
        assert set(given.keep) <= {"holder", "expiry"}
        assert "4242" not in repr(given)
        assert "123" not in repr(given)
    assert {field.name for field in card.FIELDS if field.secret} == {"number", "code"}


def test_nothing_typed_at_all_names_every_field():
    assert set(card.read({}, TODAY).wrong) == {"number", "expiry", "code", "holder"}
