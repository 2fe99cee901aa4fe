"""Walks over every connector on the shelf: it has a peer, and each verb keeps the rules of kinds.py."""

import importlib
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from app.connectors import CONNECTORS
from app.connectors.kinds import Answer, Checked, Checks, Connector, Contract, Outcome, Reached, Resume

VERBS = ("register", "authorise", "capture", "refund", "cancel", "enquire")
RESOLVED = ("register", "authorise", "capture", "refund", "cancel")

# On the wire, per connector: how 12.34 EUR, 1234 JPY and 12.340 KWD must be written. None: the provider has no
# such currency, and the connector must say so before it sends anything.
WRITTEN: dict[str, dict[str, object]] = {
    "sandbox_card": {"EUR": ("EUR", 1234), "JPY": ("JPY", 1234), "KWD": ("KWD", 12340)},
    "stripe": {"EUR": 1234, "JPY": 1234, "KWD": 12340},
    "adyen": {"EUR": 1234, "JPY": 1234, "KWD": 12340},
    "paypal": {"EUR": "12.34 EUR", "JPY": "1234 JPY", "KWD": None},
}
MINOR = {"EUR": 1234, "JPY": 1234, "KWD": 12340}


@pytest.fixture(scope="module", params=sorted(CONNECTORS))
def walked(request: pytest.FixtureRequest) -> Iterator[tuple[str, Connector, ModuleType, Contract]]:
    """(name, connector, its peer's module, an opened contract with the running peer)"""
    name = request.param
    peer = importlib.import_module(f"tests.connectors.peers.{name}")
    with peer.peer() as contract:
        yield name, CONNECTORS[name], peer, contract


def _answer(walked: tuple[str, Connector, ModuleType, Contract], verb: str, outcome: str, **more: Any) -> Answer | None:
    _, connector, peer, contract = walked
    ask = peer.ask(verb, outcome, contract, **more)
    return None if ask is None else getattr(connector, verb)(contract, ask)


@pytest.mark.parametrize("verb", VERBS)
def test_an_approval_is_a_yes_or_a_promise_to_tell(walked, verb):
    answer = _answer(walked, verb, "approve")
    assert answer is not None, "every connector can be asked everything"
    assert answer.outcome in (Outcome.APPROVED, Outcome.PENDING, Outcome.ACTION)


@pytest.mark.parametrize("verb", VERBS)
def test_a_decline_is_a_no_with_a_code(walked, verb):
    answer = _answer(walked, verb, "decline")
    if answer is not None:
        assert answer.outcome is Outcome.DECLINED
        assert answer.code is not None
    else:
        assert verb == "enquire", "only an enquiry may have no decline"


@pytest.mark.parametrize("outcome", ["garbled", "unknown_word"])
@pytest.mark.parametrize("verb", VERBS)
def test_what_is_not_understood_is_unknown(walked, verb, outcome):
    answer = _answer(walked, verb, outcome)
    assert answer is not None
    assert answer.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_amounts_are_written_as_the_provider_wants_them(walked, currency):
    name, connector, peer, contract = walked
    wanted = WRITTEN[name][currency]
    before = len(peer.wire_amounts(contract))
    ask = peer.ask("authorise", "approve", contract, currency=currency, amount=MINOR[currency])
    answer = connector.authorise(contract, ask) if ask is not None else None
    written = peer.wire_amounts(contract)
    if wanted is None:
        assert len(written) == before
        assert answer is None or answer.outcome is Outcome.DECLINED
    else:
        assert written[-1] == wanted


def _checked(walked: tuple[str, Connector, ModuleType, Contract], **changed: Any) -> Checked:
    """`changed`: settings; `live` the mode of the contract."""
    _, connector, _, contract = walked
    assert isinstance(connector, Checks), "every connector of this house can say whether its credentials work"
    live = changed.pop("live", contract.live)
    return connector.check(replace(contract, live=live, settings={**contract.settings, **changed}))


def test_good_credentials_work(walked):
    assert _checked(walked) == Checked(Reached.WORKS)


def test_wrong_credentials_are_told_from_a_provider_that_is_away(walked):
    _, connector, _, _ = walked
    first_secret = next(setting.name for setting in connector.SETTINGS if setting.secret)
    assert _checked(walked, **{first_secret: "sk_test_wrong"}).result is Reached.REFUSED
    assert _checked(walked, url="http://127.0.0.1:9").result is Reached.UNREACHABLE


@pytest.mark.parametrize("verb", RESOLVED)
def test_a_question_that_is_refused_says_nothing_about_what_was_asked(walked, verb):
    """A key that was changed meanwhile must not turn a refund that arrived into one that did not."""
    _, connector, peer, contract = walked
    done = peer.ask("enquire", "approve", contract)
    reference = done.authorisation_reference or done.provider_reference or "of-an-authorisation"
    ask = replace(done, verb=verb, authorisation_reference=reference)
    for about in (ask, replace(ask, provider_reference=None)):
        assert connector.enquire(_with_wrong_secret(walked), about).outcome is Outcome.UNKNOWN, about


def test_the_payer_who_comes_back_while_we_are_refused_is_not_declined(walked):
    _, connector, peer, contract = walked
    ask = peer.ask("authorise", "approve", contract)
    back = replace(ask, card=None, resume=Resume("of-an-authorisation", {"redirectResult": "x", "challenge": "x"}))
    answer = connector.authorise(_with_wrong_secret(walked), back)
    if walked[0] != "paypal":  # there the payer's return is a command of its own, that takes the money
        assert answer.outcome is Outcome.UNKNOWN


def _with_wrong_secret(walked) -> Contract:
    _, connector, _, contract = walked
    first_secret = next(setting.name for setting in connector.SETTINGS if setting.secret)
    return replace(contract, id="of-the-wrong-secret", settings={**contract.settings, first_secret: "sk_test_wrong"})


def test_the_wrong_mode_is_seen_before_money_is_at_stake(walked):
    assert _checked(walked, live=True).result is Reached.WRONG_MODE


@pytest.mark.parametrize("address", ["nonsense", "http://[", "http://localhost:99999", "https://"])
def test_an_address_that_is_none_is_no_fault_of_ours(walked, address):
    assert _checked(walked, url=address).result in (Reached.UNREACHABLE, Reached.UNCLEAR)


def test_a_check_that_is_answered_with_nonsense_does_not_work(walked):
    _, _, peer, contract = walked
    peer.garble_check(contract)
    assert _checked(walked).result is Reached.UNCLEAR
    assert _checked(walked).works, "and the next one is"


def test_nothing_secret_is_in_answers_or_logs(walked, capfd):
    _, connector, peer, contract = walked
    seen = [repr(contract)]
    for verb in VERBS:
        for outcome in ("approve", "decline", "garbled", "unknown_word"):
            ask = peer.ask(verb, outcome, contract)
            if ask is not None:
                seen += [repr(ask), repr(getattr(connector, verb)(contract, ask))]
    seen += [
        repr(_checked(walked)),
        repr(_checked(walked, live=True)),
        repr(_checked(walked, url="http://127.0.0.1:9")),
    ]
    out, err = capfd.readouterr()
    for secret in peer.SECRETS:
        for text in (*seen, out, err):
            assert secret not in text, secret[:4]


def test_it_declares_what_it_is_and_how_the_unknown_is_resolved(walked):
    _, connector, _, _ = walked
    assert connector.LABEL and connector.METHODS
    assert set(RESOLVED) <= set(connector.CAN.resolve)
    assert set(connector.CAN.resolve.values()) <= {"by_id", "by_reference", "by_resend", "by_news"}
    assert any(setting.secret for setting in connector.SETTINGS)
    assert len({setting.name for setting in connector.SETTINGS}) == len(connector.SETTINGS)
