"""What the stand-in remembers: every thing by kind and id, kept in its journal."""

import secrets
import string
import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.journal import Journal

Thing = dict[str, Any]

WHOLE = {"HUF", "JPY", "TWD"}
CURRENCIES = set(
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD".split()
)


class Books:
    """`lock` is held by a request from its first look to its last write, so that repeats see whole things.

    Journal line: {"at", "kind", "id", "thing"}; the last line of a thing is its present state.
    """

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self.misbehaviour: list[Thing] = []
        self._journal = Journal(path)
        self._things: dict[str, dict[str, Thing]] = defaultdict(dict)
        for line in self._journal.read():
            self._things[line["kind"]][line["id"]] = line["thing"]

    def put(self, kind: str, key: str, thing: Thing) -> Thing:
        with self.lock:
            self._journal.append({"at": stamp(), "kind": kind, "id": key, "thing": thing})
            self._things[kind][key] = thing
        return thing

    def get(self, kind: str, key: str) -> Thing | None:
        return self._things[kind].get(key)

    def all(self, kind: str) -> list[Thing]:
        with self.lock:
            return list(self._things[kind].values())


def new_id(length: int = 17) -> str:
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(length))


def stamp(days: int = 0) -> str:
    """Now, or in some days, as PayPal writes it."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def minor(money: Thing) -> int:
    """{"currency_code": "EUR", "value": "19.90"} -> 1990; the stand-in counts in hundredths of everything."""
    whole, _, part = money["value"].partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def money(amount: int, currency: str) -> Thing:
    whole, part = divmod(amount, 100)
    return {"currency_code": currency, "value": str(whole) if currency in WHOLE else f"{whole}.{part:02d}"}
