"""A small load generator: keep-alive HTTP/1.1 over asyncio streams, as cheap as Python allows.

It shares the machine with what it measures, so it must cost little; it reads status and
Content-Length and nothing else it does not need.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


class Connection:
    """One keep-alive connection. `call()` returns (status, body)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "localhost", parts.port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def call(
        self, method: str, path: str, body: bytes = b"", headers: str = "", kind: str = "application/json"
    ) -> tuple[int, bytes]:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        assert self._reader is not None
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nContent-Type: {kind}\r\n"
            f"{headers}Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
        content = await self._reader.readexactly(length)
        if "connection: close" in head:
            self.close()
        return int(head.split(" ", 2)[1]), content

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


@dataclass
class Result:
    """`seconds`: how long each unit of work took, in order of completion."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.elapsed if self.elapsed else 0.0

    def percentile_ms(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


Unit = Callable[[Connection, int], Awaitable[None]]


def run(url: str, unit: Unit, *, concurrency: int, seconds: float, warm_seconds: float = 0.0) -> Result:
    """Repeats `unit` on `concurrency` connections for a bounded time. A unit that raises is an error."""
    if warm_seconds:
        asyncio.run(_run(url, unit, concurrency, warm_seconds))
    return asyncio.run(_run(url, unit, concurrency, seconds))


async def _run(url: str, unit: Unit, concurrency: int, seconds: float) -> Result:
    result, started = Result(), time.perf_counter()
    numbers = iter(range(10**9))

    async def lane() -> None:
        connection = Connection(url)
        while time.perf_counter() - started < seconds:
            begun = time.perf_counter()
            try:
                await unit(connection, next(numbers))
                result.seconds.append(time.perf_counter() - begun)
            except Exception as error:  # whatever it is, it is counted and shown
                result.errors.append(repr(error)[:300])
                connection.close()
        connection.close()

    await asyncio.gather(*(lane() for _ in range(concurrency)))
    result.elapsed = time.perf_counter() - started
    return result


def expect(status: int, body: bytes, wanted: int) -> dict[str, Any]:
    if status != wanted:
        raise RuntimeError(f"{status}: {body[:200]!r}")
    return json.loads(body)
