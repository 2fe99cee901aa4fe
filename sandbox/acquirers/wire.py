"""A small HTTP/1.1 server on asyncio: keep-alive, bodies by Content-Length, one request at a time per
connection. Small because an acquirer takes part in benchmarks and must cost next to nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

LARGEST_HEAD = 16_384
LARGEST_BODY = 65_536

_STATUS_LINES = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}


@dataclass(slots=True)
class Request:
    """Header names are lower case. `peer` is the address of the other side."""

    method: str
    path: str
    query: str
    headers: dict[bytes, bytes]
    body: bytes
    peer: str


@dataclass(slots=True)
class Reply:
    """`after`: seconds to wait before sending. `how`: "never" keeps the line open without a word,
    "close" cuts it."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    after: float = 0.0
    how: Literal["send", "never", "close"] = "send"

    def encode(self) -> bytes:
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        head = f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n{extra}\r\n"
        return _STATUS_LINES[self.status] + head.encode("latin-1") + self.body


class BadRequest(Exception):
    """Not HTTP as we know it; the connection is closed after this status."""

    def __init__(self, status: int) -> None:
        self.status = status


class Connection(asyncio.Protocol):
    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self._answer = answer
        self._received = bytearray()
        self._busy = False
        self._transport: asyncio.Transport | None = None
        self._peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._peer = transport.get_extra_info("peername")[0]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > LARGEST_HEAD + LARGEST_BODY:
            self._refuse(413)
        elif not self._busy:
            self._next()

    def _next(self) -> None:
        while self._transport and self._received and not self._busy:
            try:
                taken = parse(self._received, self._peer)
            except BadRequest as bad:
                return self._refuse(bad.status)
            if taken is None:
                return
            request, length = taken
            del self._received[:length]
            self._send(self._answer(request))

    def _send(self, reply: Reply) -> None:
        if reply.how == "send" and not reply.after:
            if self._transport:
                self._transport.write(reply.encode())
            return
        self._busy = True
        if reply.how == "send":
            asyncio.get_running_loop().call_later(reply.after, self._send_late, reply)
        elif reply.how == "close" and self._transport:
            self._transport.abort()

    def _send_late(self, reply: Reply) -> None:
        self._busy = False
        if self._transport:
            self._transport.write(reply.encode())
            self._next()

    def _refuse(self, status: int) -> None:
        if self._transport:
            self._transport.write(Reply(status, headers=(("Connection", "close"),)).encode())
            self._transport.close()
            self._transport = None


def parse(received: bytearray, peer: str) -> tuple[Request, int] | None:
    """The first whole request and its length in bytes; None if more must arrive. Raises BadRequest."""
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0 or head_end > LARGEST_HEAD:
        if len(received) > LARGEST_HEAD:
            raise BadRequest(431)
        return None
    first, *lines = bytes(received[:head_end]).split(b"\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    if b"transfer-encoding" in headers:
        raise BadRequest(411)
    try:
        method, target, _ = first.decode("ascii").split(" ")
        length = int(headers.get(b"content-length", b"0"))
    except ValueError:
        raise BadRequest(400) from None
    if length < 0 or length > LARGEST_BODY:
        raise BadRequest(413)
    end = head_end + 4 + length
    if len(received) < end:
        return None
    path, _, query = target.partition("?")
    return Request(method, path, query, headers, bytes(received[head_end + 4 : end]), peer), end
