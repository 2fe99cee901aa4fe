"""What an answer does to the sums and the books: pure functions, no database.

Commands reserve before the call (`reserve`) and are capped by CHECKs; facts (what a provider says has
happened) are booked whatever we think of them: what exceeds the cap goes into the two `over_` sums,
which have accounts of their own. Amounts are minor units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.connectors.kinds import Outcome
from app.ledger import recipes
from app.ledger.recipes import Posting
from app.payments.states import AMOUNTS, OPEN

Sums = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Effect:
    """`to`: the operation's next state; `deltas`: changes of the sums; `postings`: what is booked;
    `stage`, `is_open`: new values for payment and authorisation, None for no change."""

    to: str
    deltas: Mapping[str, int] = field(default_factory=dict)
    postings: tuple[Posting, ...] = ()
    booked: int | None = None
    stage: str | None = None
    is_open: bool | None = None


_TO = {
    Outcome.APPROVED: "succeeded",
    Outcome.DECLINED: "declined",
    Outcome.PENDING: "pending",
    Outcome.ACTION: "action",
    Outcome.UNKNOWN: "unknown",
}

_RESERVED = {"capture": "capture_pending", "cancel": "cancel_pending", "refund": "refund_pending"}


def reserve(kind: str, amount: int) -> dict[str, int]:
    """What a command puts aside before the provider is called."""
    return {_RESERVED[kind]: amount} if kind in _RESERVED else {}


def of_answer(
    kind: str,
    state: str,
    asked: int,
    sums: Sums,
    outcome: Outcome | None,
    amount: int | None = None,
    released: int | None = 0,
) -> Effect:
    """The effect of an answer to an operation in `state` that asked for `asked`, on an authorisation with `sums`.

    `outcome=None` means provably not sent. `amount` is what really moved if it differs from what was asked. `released`:
    what a capture let go of the rest; None: all that no other operation has reserved.
    """
    to = "failed" if outcome is None else _TO[outcome]
    if to not in ("succeeded", "declined", "failed"):
        stage = {"action": "requires_action", "pending": "pending", "unknown": "pending"}[to]
        return Effect(to, stage=stage if kind == "authorise" else None)
    reserved = asked if state in OPEN else 0  # a late yes after a no finds nothing reserved any more
    moved = (asked if amount is None else amount) if to == "succeeded" else 0
    effect = _KINDS[kind](sums, reserved, moved, released if to == "succeeded" else 0)
    booked = moved if effect.booked is None else effect.booked
    return replace(effect, to=to, booked=booked if to == "succeeded" else None)


def revoked(kind: str, booked: int, sums: Sums) -> Effect:
    """The provider takes back a yes: a capture that failed after all, a refund that did not arrive."""
    assert kind in ("capture", "refund")
    return replace(_KINDS[kind](sums, 0, -booked, 0), to="declined", booked=0)


def _authorise(sums: Sums, _reserved: int, moved: int, _released: int | None) -> Effect:
    if moved:
        deltas = {"authorised": moved}
        over = _over(sums, deltas, "over_captured", _taken, "authorised")  # news of a capture may have come first
        postings = _real((recipes.captured(0, over),))
        return Effect("", {**deltas, "over_captured": over}, postings, stage="authorised", is_open=True)
    return Effect("", stage="failed", is_open=False)


def _capture(sums: Sums, reserved: int, moved: int, released: int | None) -> Effect:
    deltas = {"capture_pending": -reserved, "captured": moved}
    if released is None:
        released = sums["authorised"] - _taken(sums) + reserved - moved
    if released:
        deltas["cancelled"] = max(0, min(released, held_by_provider(sums) - moved))
    over = _over(sums, deltas, "over_captured", _taken, "authorised")
    over_returned = _over(sums, deltas, "over_returned", _returned, "captured")
    postings = (recipes.captured(moved, over), recipes.refunded(0, over_returned))
    return Effect("", {**deltas, "over_captured": over, "over_returned": over_returned}, _real(postings))


def _cancel(sums: Sums, reserved: int, moved: int, _released: int | None) -> Effect:
    deltas = {"cancel_pending": -reserved, "cancelled": min(moved, held_by_provider(sums))}
    over = _over(sums, deltas, "over_captured", _taken, "authorised")
    nothing_captured = sums["captured"] + sums["capture_pending"] == 0
    gone = moved > 0 and nothing_captured and sums["cancelled"] + deltas["cancelled"] >= sums["authorised"]
    return Effect(
        "",
        {**deltas, "over_captured": over},
        _real((recipes.captured(0, over),)),
        stage="cancelled" if gone else None,
        is_open=False if gone else None,
    )


def _refund(sums: Sums, reserved: int, moved: int, _released: int | None) -> Effect:
    deltas = {"refund_pending": -reserved, "refunded": moved}
    over = _over(sums, deltas, "over_returned", _returned, "captured")
    return Effect("", {**deltas, "over_returned": over}, _real((recipes.refunded(moved, over),)))


def _chargeback(sums: Sums, _reserved: int, moved: int, _released: int | None) -> Effect:
    deltas = {"charged_back": moved}
    over = _over(sums, deltas, "over_returned", _returned, "captured")
    return Effect("", {**deltas, "over_returned": over}, _real((recipes.charged_back(moved, over),)))


def _reversal(sums: Sums, _reserved: int, moved: int, _released: int | None) -> Effect:
    deltas = {"charged_back": -min(moved, sums["charged_back"])}
    back = -deltas["charged_back"]
    over = _over(sums, deltas, "over_returned", _returned, "captured")
    return Effect("", {**deltas, "over_returned": over}, _real((recipes.reversed_(back, -over),)), booked=back)


def held_by_provider(sums: Sums) -> int:
    """What is reserved by all that has happened. What we only asked for stands in no fact's way."""
    return max(0, sums["authorised"] - sums["captured"] - sums["cancelled"])


_KINDS = {
    "authorise": _authorise,
    "capture": _capture,
    "cancel": _cancel,
    "refund": _refund,
    "chargeback": _chargeback,
    "reversal": _reversal,
}


def _taken(sums: Sums) -> int:
    return sums["captured"] + sums["capture_pending"] + sums["cancelled"] + sums["cancel_pending"]


def _returned(sums: Sums) -> int:
    return sums["refunded"] + sums["refund_pending"] + sums["charged_back"]


def _over(sums: Sums, deltas: Mapping[str, int], name: str, used, cap: str) -> int:
    """How `name` must change so that the cap's CHECK holds after `deltas`: up with a fact, down when it relaxes."""
    after = {key: sums[key] + deltas.get(key, 0) for key in AMOUNTS}
    return max(0, used(after) - after[cap]) - sums[name]


def _real(postings: tuple[Posting, ...]) -> tuple[Posting, ...]:
    return tuple(posting for posting in postings if posting.lines)
