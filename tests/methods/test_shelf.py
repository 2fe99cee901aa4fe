"""Every method on the shelf has the shape that pages rely on."""

import inspect
from datetime import date
from pathlib import Path

import pytest

from app.connectors import CONNECTORS
from app.methods import METHODS
from tools.translations import german

MARKS = Path(__file__).parents[2] / "hosted_pages" / "templates" / "hosted" / "marks"


@pytest.mark.parametrize("name", list(METHODS))
def test_it_is_complete(name):
    method = METHODS[name]
    assert method.LABEL
    assert isinstance(method.ORDER, int)
    assert all((MARKS / f"{mark}.html").exists() for mark in method.MARKS), method.MARKS
    names = [field.name for field in method.FIELDS]
    assert len(set(names)) == len(names)
    assert not {"seal", "method"} & set(names), "these belong to the page"
    assert "_: Method = _me" in inspect.getsource(method)  # type: ignore[arg-type]  # the line for the type checker


@pytest.mark.parametrize("name", list(METHODS))
def test_its_texts_have_their_german(name):
    texts = german()
    method = METHODS[name]
    said = [method.NOTE, *(text for field in method.FIELDS for text in (field.label, field.help, *field.says.values()))]
    assert [text for text in said if text and text not in texts] == []
    assert method.LABEL in texts or method.LABEL.istitle() or method.LABEL == "PayPal"


@pytest.mark.parametrize("name", list(METHODS))
def test_nothing_typed_is_answered_at_a_field_and_a_secret_is_never_kept(name):
    method = METHODS[name]
    given = method.read({}, date(2026, 1, 1))
    assert set(given.wrong) <= {field.name for field in method.FIELDS}
    assert bool(given.wrong) == bool(method.FIELDS)
    assert not set(given.keep) & {field.name for field in method.FIELDS if field.secret}


def test_a_connector_offers_every_method_of_the_shelf():
    offered = frozenset().union(*(connector.METHODS for connector in CONNECTORS.values()))
    assert set(METHODS) <= offered
