"""Notifications: signed, sent until the other side says 2xx, at most eight times.

Signature: `X-Sandbox-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256(secret, "<t>." + body)>`. What was
not delivered when the process ends is not sent again: a receiver must be able to live without it.
"""

import asyncio
import hashlib
import hmac
import ssl
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.acquirers.cards import NewsStyle
from sandbox.acquirers.later import Later

ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
DEADLINE_SECONDS = 10.0
AT_ONCE = 16

# Out of order: a capture's notification overtakes its authorisation's, a refund's overtakes both.
_OUT_OF_ORDER_SECONDS = {"authorise": 3.0, "capture": 2.0, "refund": 1.0, "cancel": 1.0}


@dataclass(frozen=True, slots=True)
class News:
    url: str
    body: bytes
    content_type: str
    kind: str


def signature(secret: str, body: bytes, at: int) -> str:
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


class Teller:
    def __init__(self, secret: str, later: Later) -> None:
        self._secret = secret
        self._later = later
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, news: News, style: NewsStyle, late_seconds: float) -> None:
        pause = late_seconds if style == "late" else 0.0
        if style in ("reordered", "untidy"):
            pause = _OUT_OF_ORDER_SECONDS.get(news.kind, 0.0)
        for copy in range(2 if style in ("duplicate", "untidy") else 1):
            self._later.do(pause + copy * 0.2, lambda: self._start(news, 1))

    def _start(self, news: News, attempt: int) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(news, attempt))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, news: News, attempt: int) -> None:
        try:
            async with self._slots, asyncio.timeout(DEADLINE_SECONDS):
                status = await _post(news, signature(self._secret, news.body, int(time.time())))
        except (OSError, TimeoutError, ValueError, LookupError, EOFError, asyncio.LimitOverrunError) as error:
            status = type(error).__name__
        if isinstance(status, int) and 200 <= status < 300:
            return
        print(f"notification to {news.url} failed ({status}), attempt {attempt} of {ATTEMPTS}", file=sys.stderr)
        if attempt < ATTEMPTS:
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
            self._later.do(pause, lambda: self._start(news, attempt + 1))


async def _post(news: News, signed: str) -> int:
    """The status of the answer; what it says does not matter. Raises OSError, or others if it is not HTTP."""
    parts = urlsplit(news.url)
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or (443 if tls else 80), ssl=tls, limit=65_536
    )
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = (
            f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: sandbox-acquirer/1\r\n"
            f"Content-Type: {news.content_type}\r\nContent-Length: {len(news.body)}\r\n"
            f"X-Sandbox-Signature: {signed}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode("latin-1") + news.body)
        await writer.drain()
        status = int((await reader.readuntil(b"\r\n")).split(b" ")[1])
        await reader.read()
        return status
    finally:
        writer.close()
