"""How much somebody may move: per action and currency, at a time and a day. Minor units.

Stored as JSON, at a grant of a staff member or at an API key:
`{"payment.refund": {"EUR": {"each": 10000, "daily": 50000}}}`. An action that is not named has no limit. One that is
named may be done in the currencies named with it, and in no other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import Refusal
from app.core.money import exponent
from app.core.texts import N_

# The actions that move money, and so may carry limits.
LIMITED = ("payment.capture", "payment.refund", "payment.cancel")


class BadLimit(Refusal):
    code = "bad_limit"
    message = N_("A limit is an amount above zero, and the one for a day is not smaller than the one for a time.")


@dataclass(frozen=True, slots=True)
class Limit:
    """None: as much as there is."""

    each: int | None = None
    daily: int | None = None


NOTHING = Limit(0, 0)
Limits = Mapping[str, Mapping[str, Limit]]


def of_json(stored: Mapping[str, Any]) -> Limits:
    return {
        action: {currency: Limit(limit.get("each"), limit.get("daily")) for currency, limit in currencies.items()}
        for action, currencies in stored.items()
    }


def to_json(limits: Limits) -> dict[str, Any]:
    return {
        action: {
            currency: {
                name: value for name, value in (("each", limit.each), ("daily", limit.daily)) if value is not None
            }
            for currency, limit in sorted(currencies.items())
        }
        for action, currencies in sorted(limits.items())
        if currencies
    }


def check(limits: Limits) -> None:
    """Raises BadLimit, UnknownCurrency."""
    for action, currencies in limits.items():
        assert action in LIMITED, action
        for currency, limit in currencies.items():
            exponent(currency)
            known = [value for value in (limit.each, limit.daily) if value is not None]
            in_order = limit.each is None or limit.daily is None or limit.each <= limit.daily
            if not known or min(known) <= 0 or not in_order:
                raise BadLimit(param="limits")


def limit_of(limits: Limits, action: str, currency: str) -> Limit:
    """What one grant, or one key, allows."""
    named = limits.get(action)
    if not named:
        return Limit()
    return named.get(currency, NOTHING)


def widest(found: Iterable[Limit]) -> Limit:
    """Of several grants for the same action the most generous counts. Without any, nothing is allowed."""
    several = list(found) or [NOTHING]
    return Limit(_widest(limit.each for limit in several), _widest(limit.daily for limit in several))


def _widest(values: Iterable[int | None]) -> int | None:
    known = list(values)
    return None if None in known else max(value for value in known if value is not None)
