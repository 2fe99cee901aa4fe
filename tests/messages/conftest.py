"""What the tests of this room share: a receiver, a mailbox, and the rules of production."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app import config
from tests.messages.receiving import Mailbox, Receiver, running_mailbox, running_receiver


@pytest.fixture(scope="session")
def _receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def receiver(_receiver: Receiver) -> Receiver:
    """A real HTTP server; what it received before is forgotten."""
    _receiver.received.clear()
    _receiver.answers.clear()
    return _receiver


@pytest.fixture(scope="session")
def _mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as running:
        yield running


@pytest.fixture
def mailbox(_mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """A real mail server; the product is configured to use it."""
    _mailbox.messages.clear()
    _mailbox.refuse.clear()
    _mailbox.hang_up = False
    settings = replace(config.settings(), smtp_url=_mailbox.url)
    monkeypatch.setattr("app.messages.send_mails.settings", lambda: settings)
    return _mailbox


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production: only https, and no private addresses."""
    settings = replace(config.settings(), allow_private_endpoints=False)
    monkeypatch.setattr("app.messages.addresses.settings", lambda: settings)
    monkeypatch.setattr("app.messages.addresses._resolved", {})
