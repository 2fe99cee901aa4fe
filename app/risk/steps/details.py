"""Who is paying: name, address and date of birth, for sums where the merchant wants to know."""

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from app.core.fields import Field
from app.core.texts import N_
from app.risk.kinds import Step, Taken

TITLE = N_("A few details about you")
LEAD = N_("For an amount of this size, %(shop)s asks who is paying. The details are used for nothing else.")

NAME_MISSING = N_("Enter your first and last name.")
STREET_MISSING = N_("Enter street and house number.")
POSTCODE_MISSING = N_("Enter your postcode, for example 10115.")
CITY_MISSING = N_("Enter your town or city.")
BORN_MISSING = N_("Enter your date of birth as day, month and year, for example 24.03.1985.")
TOO_YOUNG = N_("You have to be 18 or older.")

FIELDS = (
    Field("name", N_("First and last name"), "name", longest=100, says={"missing": NAME_MISSING}),
    Field("street", N_("Street and house number"), "street-address", longest=100, says={"missing": STREET_MISSING}),
    Field("postcode", N_("Postcode"), "postal-code", longest=10, wide=False, says={"missing": POSTCODE_MISSING}),
    Field("city", N_("Town"), "address-level2", longest=60, wide=False, says={"missing": CITY_MISSING}),
    Field(
        "born",
        N_("Date of birth (DD.MM.YYYY)"),
        "bday",
        longest=10,
        says={"missing": BORN_MISSING},
    ),
)
_OF_AGE, _OLDEST = 18, 120


def read(typed: Mapping[str, str], today: date) -> Taken:
    """`born` is answered as YYYY-MM-DD."""
    given = {field.name: " ".join(typed.get(field.name, "").split()) for field in FIELDS}
    wrong: dict[str, str] = {}
    if not re.search(r"\w\S*\s+\w", given["name"]) or not given["name"].isprintable():
        wrong["name"] = NAME_MISSING
    if len(given["street"]) < 3 or not any(map(str.isalpha, given["street"])):
        wrong["street"] = STREET_MISSING
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 -]{2,9}", given["postcode"]):
        wrong["postcode"] = POSTCODE_MISSING
    if len(given["city"]) < 2 or not any(map(str.isalpha, given["city"])):
        wrong["city"] = CITY_MISSING
    born = _date(given["born"])
    if born is None or born > today or today.year - born.year > _OLDEST:
        wrong["born"] = BORN_MISSING
    elif _years(born, today) < _OF_AGE:
        wrong["born"] = TOO_YOUNG
    if wrong or born is None:
        return Taken(wrong=wrong, keep=given)
    return Taken(answer={**given, "born": born.isoformat()}, keep=given)


def _date(typed: str) -> date | None:
    """`24.3.1985`, `24/03/1985`, `1985-03-24` -> a date; None for anything else."""
    german = re.fullmatch(r"(\d{1,2})[./ ]\s?(\d{1,2})[./ ]\s?(\d{4})", typed, re.ASCII)
    iso = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", typed, re.ASCII)
    try:
        if german:
            return date(int(german[3]), int(german[2]), int(german[1]))
        return date(int(iso[1]), int(iso[2]), int(iso[3])) if iso else None
    except ValueError:
        return None


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


if TYPE_CHECKING:
    from app.risk.steps import details as _me

    _: Step = _me
