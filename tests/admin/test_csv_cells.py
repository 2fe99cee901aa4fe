"""CSV files: nothing in them is run, and spreadsheets of both languages read their numbers."""

import csv
import io
from decimal import Decimal

import pytest

from admin.csv_cells import safe, written


@pytest.mark.parametrize(
    "text", ["=1+1", "+49 30 1234", "-2", "@SUM(A1)", "\t=1+1", "\r=1+1", '=HYPERLINK("http://x")']
)
def test_what_begins_like_a_formula_gets_an_apostrophe(text):
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Visa", "1 = 1", "a@example.com", " =1", "2026-11-22"])
def test_what_does_not_stays_as_it_is(text):
    assert safe(text) == text


def test_german_files_have_semicolons_and_decimal_commas():
    file = written(["Wann", "Betrag"], [["22.11.2026", Decimal("1234.50")], ["=x", None]], "de")
    assert file == "\ufeffWann;Betrag\r\n22.11.2026;1234,50\r\n'=x;\r\n".encode()


def test_english_files_have_commas_and_decimal_points():
    file = written(["When", "Amount"], [["22 Nov, 2026", Decimal("-0.50")], ["b", 1234]], "en")
    assert list(csv.reader(io.StringIO(file.decode("utf-8-sig")))) == [
        ["When", "Amount"],
        ["22 Nov, 2026", "-0.50"],
        ["b", "1234"],
    ]


def test_a_heading_is_made_safe_too():
    assert written(["=x"], [], "en").decode("utf-8-sig") == "'=x\r\n"
