"""The shops' own order book."""

import secrets
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.journal import Journal

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Order:
    """`checkout`: what Zahlwerk answered: id, url, embed_url, expires_at. Amounts in cents."""

    number: str
    shop: str
    lines: list[dict[str, Any]]
    amount: int
    currency: str
    name: str
    email: str
    capture: str
    placed_at: str
    checkout: dict[str, Any] = field(default_factory=dict)


class Orders:
    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._orders = {line["number"]: Order(**line) for line in self._journal.read()}
        self._lock = threading.Lock()

    def keep(self, order: Order) -> Order:
        with self._lock:
            self._journal.append(asdict(order))
            self._orders[order.number] = order
        return order

    def get(self, number: str) -> Order | None:
        return self._orders.get(number)


def new_number(prefix: str) -> str:
    """CM-261121-7KQ4: readable, and never used before."""
    return f"{prefix}-{datetime.now(UTC):%y%m%d}-{''.join(secrets.choice(_LETTERS) for _ in range(5))}"
