"""Caught webhooks, the secrets to check them with, and how each endpoint is to behave."""

import itertools
import json
import threading
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from sandbox.demo_file import demo_shops
from sandbox.journal import Journal

KEPT = 2000


@dataclass(frozen=True)
class Message:
    """`verified`: None when no secret is known. `answered`: the status the catcher gave."""

    id: int
    name: str
    received_at: str
    headers: dict[str, str]
    body: str
    verified: bool | None
    why: str
    answered: int

    @property
    def content(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def pretty(self) -> str:
        return json.dumps(self.content, indent=2, ensure_ascii=False)

    @property
    def type(self) -> str:
        content = self.content
        found = content.get("type") if isinstance(content, dict) else None
        return found if isinstance(found, str) else "?"


@dataclass
class Behaviour:
    """The next `times` requests get `status` after `delay_ms`."""

    status: int = 200
    times: int = 0
    delay_ms: int = 0


class Caught:
    """Secrets are not written down: they come with the demo file or are told again after a restart."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        lines = list(self._journal.read())
        self._messages = deque((Message(**line) for line in lines), maxlen=KEPT)
        if len(lines) > KEPT:
            self._journal.replace(lines[-KEPT:])
        self._numbers = itertools.count(self._messages[-1].id + 1 if self._messages else 1)
        self._secrets: dict[str, list[str]] = {}
        self._behaviour: dict[str, Behaviour] = {}
        self._lock = threading.Lock()

    def tell_secrets(self, name: str, secrets: list[str]) -> None:
        """Several are valid at once while a shop changes its secret. Raises ValueError for one that is none."""
        for secret in secrets:
            Webhook(secret)
        with self._lock:
            self._secrets[name] = secrets

    def behave(self, name: str, behaviour: Behaviour) -> None:
        with self._lock:
            self._behaviour[name] = behaviour

    def next_behaviour(self, name: str) -> Behaviour:
        with self._lock:
            ordered = self._behaviour.get(name)
            if ordered is None or ordered.times <= 0:
                return Behaviour()
            ordered.times -= 1
            return ordered

    def check(self, name: str, headers: dict[str, str], body: str) -> tuple[bool | None, str]:
        """Whether one of the endpoint's secrets made the signature, and if not, why not."""
        secrets = self._secrets.get(name) or _demo_secrets(name)
        if not secrets:
            return None, "no secret known"
        why = ""
        for secret in secrets:
            try:
                Webhook(secret).verify(body, headers, json_parse=False)
                return True, ""
            except WebhookVerificationError as wrong:
                why = str(wrong)
            except ValueError as malformed:
                why = f"malformed header: {malformed}"
        return False, why

    def keep(self, **message: Any) -> Message:
        with self._lock:
            kept = Message(id=next(self._numbers), **message)
            self._journal.append(asdict(kept))
            self._messages.append(kept)
        return kept

    def all(self, name: str | None = None, contains: str = "", limit: int = 100) -> list[Message]:
        """Newest first."""
        with self._lock:
            newest = list(reversed(self._messages))
        found = (one for one in newest if name in (None, one.name) and contains in one.body)
        return list(itertools.islice(found, limit))

    def names(self) -> list[str]:
        """Every endpoint that was told something or that the demo data knows."""
        with self._lock:
            known = {one.name for one in self._messages} | set(self._secrets)
        return sorted(known | {shop["slug"] for shop in demo_shops() if isinstance(shop.get("slug"), str)})

    def clear(self, name: str | None = None) -> int:
        with self._lock:
            kept = [one for one in self._messages if name not in (None, one.name)]
            gone = len(self._messages) - len(kept)
            self._messages = deque(kept, maxlen=KEPT)
            self._journal.replace([asdict(one) for one in kept])
        return gone


def _demo_secrets(name: str) -> list[str]:
    secrets = [shop.get("webhook_secret") for shop in demo_shops() if shop.get("slug") == name]
    return [secret for secret in secrets if isinstance(secret, str) and secret]
