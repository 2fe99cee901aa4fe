"""How tests and benchmarks steer an acquirer: `POST /control` with JSON, from this machine only.

What is not named stays as it is. `GET /control` shows the present values. None of it survives a restart,
except the clock, which never goes back.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from sandbox.acquirers.cards import Effect


@dataclass
class Control:
    """`hang`: take requests and never answer. `down`: "close" cuts the line, "503" says nothing more,
    "busy" says that the request was not processed. `acs`: "page" asks, "approve" and "decline" answer
    for the payer ("auto" is "approve"). `next`: what happens with the next request, a word of
    cards.Effect. `news`: False loses every notification. The rest are seconds."""

    latency_ms: float = 0.0
    hang: bool = False
    down: str | None = None
    acs: str = "page"
    next: str | None = None
    news: bool = True
    pending_seconds: float = 1.0
    dispute_seconds: float = 3.0
    late_seconds: float = 20.0
    requests: int = 0  # how many there were
    received: list[dict[str, Any]] = field(default_factory=list)  # verb, amount and currency of the last requests

    def take_next(self) -> str | None:
        effect, self.next = self.next, None
        return effect

    def note(self, verb: str, amount: object, currency: object) -> None:
        self.requests += 1
        self.received.append({"verb": verb, "amount": amount, "currency": currency})
        if len(self.received) > 50:
            del self.received[:-20]

    def change(self, wanted: dict[str, Any]) -> str | None:
        """Sets what is named. Returns the name of the first field that is not understood."""
        for name, value in wanted.items():
            if name not in _ALLOWED or not _ALLOWED[name](value):
                return name
        for name, value in wanted.items():
            setattr(self, name, _meant(name, value))
        return None

    def shown(self) -> dict[str, Any]:
        return asdict(self)


def _meant(name: str, value: Any) -> Any:
    if name in ("down", "next") and not value:
        return None
    return {("acs", "auto"): "approve", ("down", True): "close"}.get((name, value), value)


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 3_600_000


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


_ALLOWED = {
    "latency_ms": _is_seconds,
    "hang": _is_flag,
    "news": _is_flag,
    "down": lambda value: value in (None, False, True, "close", "503", "busy"),
    "acs": lambda value: value in ("page", "auto", "approve", "decline"),
    "next": lambda value: value is None or value in get_args(Effect),
    "pending_seconds": _is_seconds,
    "dispute_seconds": _is_seconds,
    "late_seconds": _is_seconds,
}
