"""How much somebody may move: per action and currency, at a time and a day. Minor units.

Stored as JSON, at a grant of a staff member or at an API key:
`{"payment.refund": {"EUR": {"each": 10000, "daily": 50000}}}`. An action that is not named has no limit. One that is
named may be done in the currencies named with it, and in no other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

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


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one grant, or one key, allows. `merchants`: those whose commands add up to its day; None: all."""

    limit: Limit = Limit()
    merchants: frozenset[UUID] | None = None


Allowances = Sequence[Allowance]
UNLIMITED: Allowances = (Allowance(),)


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


def exceeded(found: Allowances, amount: int, used: Callable[[Allowance], int]) -> tuple[str, int] | None:
    """Why no single one of several allowances covers this: the bound of the widest, ("each" | "daily", minor units).

    None: one of them does. Two narrow ones do not make a wide one. `used`: what counts towards its day already.
    """
    bounds = [("each", 0)]  # without any, nothing is allowed
    for one in sorted(found, key=lambda one: one.limit.daily is not None):
        bound = _bound(one, amount, used)
        if bound is None:
            return None
        bounds.append(bound)
    return max(bounds, key=lambda bound: bound[1])


def _bound(one: Allowance, amount: int, used: Callable[[Allowance], int]) -> tuple[str, int] | None:
    if one.limit.each is not None and amount > one.limit.each:
        return "each", one.limit.each
    if one.limit.daily is not None and used(one) + amount > one.limit.daily:
        return "daily", one.limit.daily
    return None


def is_within(inner: Limit, outer: Limit) -> bool:
    """Whether whoever may do `inner` may do nothing that `outer` does not allow."""
    each = inner.daily if inner.each is None else inner.each  # a day's total caps each command of it
    return _below(each, outer.each) and _below(inner.daily, outer.daily)


def _below(value: int | None, most: int | None) -> bool:
    return most is None or (value is not None and value <= most)
