"""The shelf of public events names exactly what can be told."""

import ast
from pathlib import Path

import pytest

from app.messages.events import EVENTS, by_name
from app.messages.mail import LANGUAGES
from app.payments.states import CHECKOUT, DISPUTE, NOUN, OPERATION

APP = Path(__file__).resolve().parents[2] / "app"
MAILS = APP / "messages" / "mails"


def test_it_holds_every_public_edge_of_every_life_and_every_public_event_told_by_hand():
    assert set(by_name()) == _of_operations() | _of(DISPUTE) | _of(CHECKOUT) | _told_by_hand() | {"endpoint.test"}


@pytest.mark.parametrize("file", EVENTS)
def test_each_event_is_complete(file):
    event = EVENTS[file]
    assert file == event.NAME.replace(".", "_")
    assert event.TITLE and event.DESCRIPTION.endswith(".")
    assert event.EXAMPLE
    assert "_: PublicEvent = _me" in (APP / "messages" / "events" / f"{file}.py").read_text()
    for letter in event.MAIL.values():
        for language in LANGUAGES:
            assert (MAILS / f"{letter}.{language}.txt").exists() and (MAILS / f"{letter}.{language}.html").exists()


def _of(life) -> set[str]:
    return {edge[0] for edge in life.edges.values() if edge and edge[1] == "public"}


def _of_operations() -> set[str]:
    """What operations can tell: facts only succeed, only payers act, only captures and refunds are taken back."""
    names = {name.format(noun=noun) for noun in NOUN.values() for name in _of(OPERATION)}

    def can_be(name: str) -> bool:
        noun, _, what = name.partition(".")
        if noun in ("chargeback", "chargeback_reversal"):
            return what == "succeeded"
        if what == "action_required":
            return noun == "authorisation"
        return what != "revoked" or noun in ("capture", "refund")

    return {name for name in names if can_be(name)}


def _told_by_hand() -> set[str]:
    """Names in calls of tell() that do not narrow the audience."""
    names: set[str] = set()
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in ("tell", "_tell"):
                continue
            first = node.args[0] if node.args else None
            narrowed = any(keyword.arg == "audience" for keyword in node.keywords)
            if isinstance(first, ast.Constant) and not narrowed:
                names.add(first.value)
    return names
