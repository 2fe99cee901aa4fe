"""The step in which payers say who they are: what is taken, what is not, and what is said then."""

from datetime import date

import pytest

from app.risk.steps import details

TODAY = date(2026, 3, 24)
ERIKA = {
    "name": "Erika Mustermann",
    "street": "Heidestraße 17",
    "postcode": "51147",
    "city": "Köln",
    "born": "12.08.1964",
}


def test_complete_details_are_taken():
    taken = details.read(ERIKA, TODAY)
    assert taken.wrong == {}
    assert taken.answer == {**ERIKA, "born": "1964-08-12"}


@pytest.mark.parametrize("typed", ["12.8.1964", "12/08/1964", "1964-08-12", "12 8 1964", "12. 8. 1964"])
def test_a_date_of_birth_may_be_written_in_the_usual_ways(typed):
    assert details.read({**ERIKA, "born": typed}, TODAY).answer["born"] == "1964-08-12"


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "", details.NAME_MISSING),
        ("name", "Erika", details.NAME_MISSING),
        ("name", "Erika\x00 Mustermann", details.NAME_MISSING),
        ("street", "17", details.STREET_MISSING),
        ("postcode", "", details.POSTCODE_MISSING),
        ("postcode", "<b>1</b>", details.POSTCODE_MISSING),
        ("city", "1", details.CITY_MISSING),
        ("born", "31.02.1964", details.BORN_MISSING),
        ("born", "yesterday", details.BORN_MISSING),
        ("born", "25.03.2026", details.BORN_MISSING),
        ("born", "01.01.1890", details.BORN_MISSING),
        ("born", "١٢.٠٨.١٩٦٤", details.BORN_MISSING),
        ("born", "25.03.2008", details.TOO_YOUNG),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(field, typed, said):
    taken = details.read({**ERIKA, field: typed}, TODAY)
    assert taken.wrong == {field: said}
    assert taken.answer == {}
    assert taken.keep == {**ERIKA, field: " ".join(typed.split())}


def test_somebody_is_of_age_on_their_birthday():
    assert details.read({**ERIKA, "born": "24.03.2008"}, TODAY).wrong == {}
