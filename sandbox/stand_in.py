"""What the stand-ins for card providers share: a memory, misbehaviour on demand, and outgoing notifications.

Journals carry neither card numbers nor security codes nor keys; a restart gets its keys again from whoever starts it.
"""

import contextlib
import copy
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from sandbox.journal import Journal

Thing = dict[str, Any]

PAUSES_SECONDS = (0.2, 0.5, 1, 2, 5, 10, 30, 60)


class Store:
    """Things by kind and id. Journal line: {"at", "kind", "id", "thing"}; the last line of a thing is its state.

    `lock` is held by a request from its first look to its last write.
    """

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._journal = Journal(path)
        self._things: dict[str, dict[str, Thing]] = defaultdict(dict)
        for line in self._journal.read():
            self._things[line["kind"]][line["id"]] = line["thing"]

    def put(self, kind: str, key: str, thing: Thing) -> Thing:
        with self.lock:
            self._journal.append({"at": round(time.time(), 3), "kind": kind, "id": key, "thing": thing})
            self._things[kind][key] = copy.deepcopy(thing)
        return thing

    def get(self, kind: str, key: object) -> Thing | None:
        with self.lock:
            return copy.deepcopy(self._things[kind].get(str(key)))

    def all(self, kind: str) -> list[Thing]:
        """Oldest first."""
        with self.lock:
            return copy.deepcopy(list(self._things[kind].values()))

    def did(self, what: str, **facts: object) -> None:
        """Money that moved or was promised: what tests compare with our own operations."""
        self.put("did", uuid4().hex, {"did": what, **facts})


@dataclass
class Faults:
    """What goes wrong next: `{"next": <word>, "on": <part of the path>, "times": 1, "seconds": 15}`."""

    WORDS = frozenset(
        {"garbled", "silence", "timeout_after_success", "unknown_word", "down", "rate_limit", "busy", "refuse"}
    )
    _waiting: list[Thing] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _released: threading.Event = field(default_factory=threading.Event)

    def order(self, order: Mapping[str, Any]) -> None:
        if order["next"] not in self.WORDS:
            raise ValueError(f"next: one of {', '.join(sorted(self.WORDS))}")
        with self._lock:
            self._released.clear()
            self._waiting.append({"on": "", "times": 1, "seconds": 15, **order})

    def take(self, path: str) -> Thing:
        """The fault for a request to `path`; {} when nothing is to go wrong."""
        with self._lock:
            for fault in self._waiting:
                if fault["on"] in path:
                    fault["times"] -= 1
                    if not fault["times"]:
                        self._waiting.remove(fault)
                    return fault
        return {}

    def hang(self, fault: Thing) -> None:
        """Keeps a request waiting until its time is over or everything is released."""
        self._released.wait(fault["seconds"])

    def release(self) -> None:
        self._waiting.clear()
        self._released.set()


class Deliveries:
    """Notifications, sent by one thread and repeated until someone answers 2xx.

    `dress(body)` gives the headers (the signature) at the moment of sending. `style`: "plain", "twice", or "held"
    until `style` changes, and then newest first.
    """

    def __init__(self, store: Store, dress: Callable[[bytes], Mapping[str, str]]) -> None:
        self.url: str | None = None
        self.style = "plain"
        self._store = store
        self._dress = dress
        self._due: deque[tuple[float, str]] = deque()
        self._wake = threading.Condition()
        for waiting in store.all("deliveries"):
            if waiting["state"] == "waiting":
                self._due.append((0.0, waiting["id"]))
        threading.Thread(target=self._run, name="stand-in-notifications", daemon=True).start()

    def tell(self, body: str) -> None:
        for _ in range(2 if self.style == "twice" else 1):
            delivery = {"id": uuid4().hex, "body": body, "state": "waiting", "tries": 0}
            self._store.put("deliveries", delivery["id"], delivery)
            with self._wake:
                if self.style == "held":
                    self._due.appendleft((0.0, delivery["id"]))
                else:
                    self._due.append((0.0, delivery["id"]))
                self._wake.notify()

    def change(self, **settings: str) -> None:
        with self._wake:
            for name, value in settings.items():
                setattr(self, name, value)
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                due = self._next_due()
                if due is None:
                    self._wake.wait(0.2 if self._due else None)
                    continue
            self._send(due)

    def _next_due(self) -> str | None:
        if self.url is None or self.style == "held":
            return None
        for entry in list(self._due):
            if entry[0] <= time.monotonic():
                self._due.remove(entry)
                return entry[1]
        return None

    def _send(self, key: str) -> None:
        delivery = self._store.get("deliveries", key)
        assert delivery and self.url
        body = delivery["body"].encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json", **self._dress(body)})
        delivered = False
        with contextlib.suppress(OSError, urllib.error.URLError):
            with urllib.request.urlopen(request, timeout=10) as answer:
                delivered = 200 <= answer.status < 300
        delivery["tries"] += 1
        if delivered or delivery["tries"] > 100:
            delivery["state"] = "delivered" if delivered else "given_up"
        else:
            pause = PAUSES_SECONDS[min(delivery["tries"], len(PAUSES_SECONDS)) - 1]
            with self._wake:
                self._due.append((time.monotonic() + pause, key))
        self._store.put("deliveries", key, delivery)


def luhn(number: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
