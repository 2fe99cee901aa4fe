"""A webhook receiver that costs as little as possible: answers 204 and counts."""

import asyncio
import threading
import time
from types import TracebackType
from typing import Self

from bench.stack import free_port

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver:
    """Runs in a thread as long as the `with` block lasts. `first`: when the first request came (perf_counter)."""

    def __init__(self) -> None:
        self.port = free_port()
        self.first = 0.0
        self.count = 0
        self.seen: set[bytes] = set()  # ids of messages; a delivery may come twice
        self._came = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhooks"

    def __enter__(self) -> Self:
        server = self._loop.create_server(lambda: _Connection(self), "127.0.0.1", self.port)
        self._loop.run_until_complete(server)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def wait_for_one(self, seconds: float = 60) -> None:
        """Until the first webhook has come."""
        assert self._came.wait(seconds), f"no webhook came within {seconds} s"

    def note(self, message_id: bytes) -> None:
        self.first = self.first or time.perf_counter()
        self.count += 1
        self.seen.add(message_id)
        self._came.set()


class _Connection(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver, self._come = receiver, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._come += data
        head, blank, body = self._come.partition(b"\r\n\r\n")
        length = int(_header(head, b"content-length")) if blank else 0
        if not blank or len(body) < length:
            return
        assert _header(head, b"webhook-signature"), head
        self._receiver.note(_header(head, b"webhook-id"))
        self._come = body[length:]
        self._transport.write(_ANSWER)


def _header(head: bytes, name: bytes) -> bytes:
    return head.lower().split(b"\r\n" + name + b":", 1)[1].split(b"\r\n", 1)[0].strip()
