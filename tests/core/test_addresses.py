"""Nothing of ours is led into a private network, not by a name that changes its answer between two questions either.

Real sockets on loopback; only what the system's resolver answers for one made-up name is ours to say.
"""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from app.config import settings
from app.core import http
from app.core.addresses import NotPublicAddress, public_addresses
from app.messages import addresses, webhook
from app.messages.addresses import resolve
from app.messages.webhook import Webhook
from tests.messages.test_webhook import EVENT

NAME = "rebinding.example"
NOWHERE = "2d00::1"  # of the public internet by its number, and given to nobody


class Listener:
    """A server on loopback that counts who connects, keeps what they said first, and answers 204."""

    def __init__(self, address: str, port: int = 0) -> None:
        self._socket = socket.create_server((address, port))
        self.port: int = self._socket.getsockname()[1]
        self.heard: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.heard.append(b"")
                self.heard[-1] = connection.recv(65536)
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    open_: list[Listener] = []

    def start(address: str = "127.0.0.1", port: int = 0) -> Listener:
        open_.append(Listener(address, port))
        return open_[-1]

    yield start
    for one in open_:
        one.close()


@pytest.fixture
def strict(monkeypatch) -> Iterator[None]:
    """As in live mode."""
    monkeypatch.setenv("ALLOW_PRIVATE_ENDPOINTS", "0")
    settings.cache_clear()
    addresses._resolved.clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()
    addresses._resolved.clear()


@pytest.fixture
def name_says(monkeypatch):
    """name_says(first, then): what NAME points to when it is asked, one answer after the other; the last one stays.

    Returns the list of questions.
    """
    real = socket.getaddrinfo

    def answers(*given: str) -> list[str]:
        left, asked = list(given), []

        def getaddrinfo(host, port, *more, **options):
            if host != NAME:
                return real(host, port, *more, **options)
            asked.append(host)
            return real(left.pop(0) if len(left) > 1 else left[0], port, type=socket.SOCK_STREAM)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        addresses._resolved.clear()
        return asked

    return answers


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_no_call_reaches_a_private_address_however_it_is_written(listen, host):
    listener = listen()
    with pytest.raises(http.NotSent, match="not on the public internet"):
        http.send("POST", f"http://{host}:{listener.port}/latest/meta-data", body=b"x", guarded=False)
    assert listener.heard == []


@pytest.mark.usefixtures("strict")
def test_a_name_that_changes_its_answer_between_two_questions_is_asked_only_once(listen, name_says):
    listener = listen()
    asked = name_says(NOWHERE, "127.0.0.1")
    with pytest.raises((http.NotSent, http.NoAnswer)):
        http.send("GET", f"http://{NAME}:{listener.port}/", deadline_seconds=0.3, guarded=False)
    assert asked == [NAME]
    assert listener.heard == []


@pytest.mark.usefixtures("strict")
def test_the_same_name_would_get_through_to_who_looks_first_and_asks_again_to_connect(listen, name_says):
    """The control: what the guard is there for."""
    listener = listen()
    asked = name_says(NOWHERE, "127.0.0.1")
    assert public_addresses(NAME, listener.port) == (NOWHERE,)
    assert http.send("GET", f"http://{NAME}:{listener.port}/", own_site=True).status == 204
    assert len(asked) == 2 and len(listener.heard) == 1


@pytest.mark.usefixtures("strict")
def test_a_kept_connection_is_no_way_in_either(listen, name_says):
    """Allowed once, refused ever after: what was open before does not serve who may not connect."""
    listener = listen()
    name_says("127.0.0.1")
    url = f"http://{NAME}:{listener.port}/"
    assert http.send("GET", url, own_site=True).status == 204
    with pytest.raises(http.NotSent):
        http.send("GET", url, guarded=False)
    assert len(listener.heard) == 1


@pytest.mark.usefixtures("strict")
def test_a_webhook_is_not_led_astray(listen, name_says):
    listener = listen()
    asked = name_says(NOWHERE, "127.0.0.1")
    url = f"https://{NAME}:{listener.port}/hook"
    assert resolve(url) == (NOWHERE,)
    outcome = webhook.send(_webhook(url), deadline_seconds=0.3)
    assert not outcome.delivered and outcome.status is None
    assert asked == [NAME] and listener.heard == []
    addresses._resolved.clear()
    assert webhook.send(_webhook(url), deadline_seconds=0.3).error == "url_not_public"
    assert listener.heard == []


def test_a_webhook_goes_where_the_name_pointed_when_it_was_looked_at(listen, name_says):
    """Two servers on one port; the name moves from the one to the other after the first question."""
    there = listen("127.0.0.2")
    elsewhere = listen("127.0.0.1", there.port)
    name_says("127.0.0.2", "127.0.0.1")
    for _ in range(2):
        assert webhook.send(_webhook(f"http://{NAME}:{there.port}/hook")).status == 204
    assert len(there.heard) == 2 and elsewhere.heard == []
    assert f"Host: {NAME}:{there.port}".encode() in there.heard[0]


def test_a_pinned_call_still_asks_for_the_certificate_of_the_name(listen):
    listener = listen()
    with pytest.raises((http.NotSent, http.NoAnswer)):
        http.send("GET", f"https://{NAME}:{listener.port}/", pinned_address="127.0.0.1", deadline_seconds=2)
    assert NAME.encode() in listener.heard[0], "the name stands in the greeting of TLS"


@pytest.mark.parametrize("given", [("8.8.8.8", "10.0.0.1"), ("169.254.169.254",), ("fd00::1",)])
def test_one_private_address_refuses_the_name(monkeypatch, given):
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in given]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(NotPublicAddress):
        public_addresses(NAME, 443)


def _webhook(url: str) -> Webhook:
    return Webhook(url, EVENT, (b"s" * 32,))
