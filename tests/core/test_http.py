"""NotSent is proof, NoAnswer is silence, and nobody waits longer than the deadline."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.core import http


@pytest.fixture
def peer() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Starts a raw TCP server that treats each connection as told. Returns its URL."""
    servers: list[socket.socket] = []

    def start(treat: Callable[[socket.socket], None]) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=_guard, args=(treat, connection), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/"

    yield start
    for server in servers:
        server.close()


def _guard(treat: Callable[[socket.socket], None], connection: socket.socket) -> None:
    try:
        treat(connection)
    except OSError:
        pass  # the client hung up, as it should


def _answer(connection: socket.socket) -> None:
    while connection.recv(65536):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_an_answer_is_read_whole(peer):
    response = http.send("POST", peer(_answer), body=b"x")
    assert (response.status, response.body) == (200, b"ok")


def test_a_closed_port_is_proof_that_nothing_was_sent():
    with pytest.raises(http.NotSent):
        http.send("GET", "http://127.0.0.1:9/")


def test_a_connection_that_breaks_is_silence(peer):
    def hang_up(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.close()

    with pytest.raises(http.NoAnswer):
        http.send("POST", peer(hang_up), body=b"x")


def test_half_an_answer_is_silence(peer):
    def half(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        connection.close()

    with pytest.raises(http.NoAnswer):
        http.send("GET", peer(half))


@pytest.mark.parametrize("drip", [b"X", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_a_peer_that_drips_is_cut_off_at_the_deadline(peer, drip):
    def slowly(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(drip)
        for _ in range(100):
            time.sleep(0.1)
            connection.sendall(b"x")

    started = time.monotonic()
    with pytest.raises(http.NoAnswer):
        http.send("GET", peer(slowly), deadline_seconds=0.6)
    assert time.monotonic() - started < 3


def test_a_silent_peer_is_given_up_at_the_deadline(peer):
    with pytest.raises(http.NoAnswer):
        http.send("GET", peer(lambda connection: time.sleep(5)), deadline_seconds=0.3)


@pytest.fixture
def name_takes(monkeypatch) -> Callable[[float], None]:
    """What the system's resolver does for one made-up name is ours to say: it answers after so many seconds."""
    real = socket.getaddrinfo

    def slow(seconds: float) -> None:
        def getaddrinfo(host, port, *more, **options):
            if host == "slow.example":
                time.sleep(seconds)
                host = "127.0.0.1"
            return real(host, port, *more, **options)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return slow


@pytest.fixture
def unanswered(monkeypatch) -> Iterator[str]:
    """The URL of a name with four addresses where nobody accepts: connecting to them takes for ever."""
    real, addresses = socket.getaddrinfo, [f"127.0.0.{number}" for number in range(1, 5)]

    def getaddrinfo(host, *more, **options):
        asked = addresses if host == "silent.example" else [host]
        return [found for one in asked for found in real(one, *more, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(3)]  # its queue is full
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", server.getsockname()[1]))
        yield f"http://silent.example:{server.getsockname()[1]}/"
        for one in waiting:
            one.close()


def test_a_name_that_is_looked_up_slowly_ends_the_call_at_its_deadline_and_nothing_is_sent(peer, name_takes):
    heard: list[bytes] = []
    port = peer(lambda connection: heard.append(connection.recv(65536))).rsplit(":", 1)[1]
    name_takes(1.5)
    begun = time.monotonic()
    with pytest.raises(http.NotSent):
        http.send("POST", f"http://slow.example:{port}", body=b"x", deadline_seconds=0.3)
    assert time.monotonic() - begun < 1
    assert heard == []


def test_connecting_to_many_silent_addresses_takes_no_longer_than_the_deadline(unanswered):
    begun = time.monotonic()
    with pytest.raises(http.NotSent):
        http.send("POST", unanswered, body=b"x", deadline_seconds=0.5)
    assert time.monotonic() - begun < 1.5


def test_a_request_that_would_leave_after_its_deadline_is_not_sent(peer):
    """Also on a connection that is open already: the process may have been frozen on its way there."""
    heard: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        while asked := connection.recv(65536):
            heard.append(asked)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    url = peer(answer)
    http.send("POST", url, body=b"first")
    with http.not_after(0), pytest.raises(http.NotSent):
        http.send("POST", url, body=b"second")
    http.send("POST", url, body=b"third")
    assert "second" not in b"".join(heard).decode()


def test_a_peer_that_reads_nothing_is_given_up_at_the_deadline(peer):
    url = peer(lambda connection: threading.Event().wait(5))
    begun = time.monotonic()
    with pytest.raises(http.NoAnswer):
        http.send("POST", url, body=bytes(30_000_000), deadline_seconds=0.5)
    assert time.monotonic() - begun < 2


def test_a_redirect_is_not_followed(peer):
    def redirect(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    assert http.send("GET", peer(redirect)).status == 302


def test_an_endless_answer_is_given_up(peer):
    def endless(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(200):
            connection.sendall(b"x" * 65536)

    with pytest.raises(http.NoAnswer):
        http.send("GET", peer(endless))


def test_a_peer_that_keeps_failing_is_left_alone_for_a_while(peer):
    url = peer(lambda connection: connection.close())
    for _ in range(http.FAILURES_BEFORE_OPEN):
        with pytest.raises(http.NoAnswer):
            http.send("GET", url)
    with pytest.raises(http.NotSent, match="left alone"):
        http.send("GET", url)


def test_only_so_many_calls_to_one_peer_are_under_way(peer):
    release = threading.Event()

    def wait(connection: socket.socket) -> None:
        connection.recv(65536)
        release.wait(10)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    url, arrived = peer(wait), threading.Semaphore(0)

    def call() -> None:
        arrived.release()
        http.send("GET", url, deadline_seconds=10)

    threads = [threading.Thread(target=call) for _ in range(http.CALLS_PER_PEER)]
    for thread in threads:
        thread.start()
    for _ in threads:
        arrived.acquire(timeout=5)
    deadline = time.monotonic() + 5
    refused = None
    while refused is None and time.monotonic() < deadline:
        try:
            http.send("GET", url, deadline_seconds=0.05)
        except http.NotSent as error:
            refused = error
        except http.NoAnswer:
            continue  # not all of them had started yet
    release.set()
    for thread in threads:
        thread.join()
    assert refused is not None and "under way" in str(refused)


def test_a_peer_that_answers_is_waited_for(peer):
    """All places are taken, but by calls that are being answered: the next one gets a place in a moment."""
    release, busy = threading.Event(), threading.Semaphore(0)

    def answer(connection: socket.socket) -> None:
        asked = connection.recv(65536)
        if b"/slow" in asked:
            busy.release()
            release.wait(10)
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    url = peer(answer)
    http.send("GET", url)
    threads = [threading.Thread(target=http.send, args=("GET", f"{url}/slow")) for _ in range(http.CALLS_PER_PEER)]
    for thread in threads:
        thread.start()
    for _ in threads:
        busy.acquire(timeout=5)
    http._peer(url.rstrip("/")).answered_at = time.monotonic()
    threading.Timer(0.2, release.set).start()
    assert http.send("GET", url).status == 204
    for thread in threads:
        thread.join()


def test_a_block_can_shorten_the_deadline(peer):
    url = peer(lambda connection: connection.recv(65536) and threading.Event().wait(5))
    begun = time.monotonic()
    with http.at_most(0.3), pytest.raises(http.NoAnswer):
        http.send("GET", url)
    assert time.monotonic() - begun < 2
