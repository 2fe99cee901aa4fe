"""A picture of a payment's states: the way most go, where it ends otherwise, and where this one stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from admin import words
from app.payments.states import ENDS, NEXT, ROAD

# A payment has come by these if their sum is above zero.
_SUMS = {"authorised": "authorised", "captured": "captured", "refunded": "refunded", "charged_back": "charged_back"}


@dataclass(frozen=True, slots=True)
class Stop:
    """`place`: now, passed, next (it may follow) or far."""

    word: words.Word
    place: str


def road(payment: Mapping[str, Any]) -> tuple[list[Stop], list[Stop]]:
    """(the road, the other ends)."""
    return tuple([Stop(words.STATUS[name], _place(name, payment)) for name in part] for part in (ROAD, ENDS))  # type: ignore[return-value]


def _place(name: str, payment: Mapping[str, Any]) -> str:
    status = payment["status"]
    if name == status:
        return "now"
    if name in NEXT[status]:
        return "next"
    passed = name == "created" or (name in _SUMS and payment[_SUMS[name]] > 0)
    return "passed" if passed else "far"
