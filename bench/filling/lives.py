"""What can become of a payment, for bench/fill.py: each life is lived once here, by the product's own rules.

Amounts are examples: a payment of 1000 of which 300 are treated apart. So every sum that follows is one of
0, 1000, 300 and 700, which says how it is made of a payment's real `amount` and `part`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.connectors.kinds import Outcome
from app.ledger.recipes import Posting
from app.payments.effect import of_answer, reserve
from app.payments.states import AMOUNTS, NOUN

AMOUNT, PART = 1000, 300
# example -> (how often the amount, how often the part)
MADE_OF = {0: (0, 0), AMOUNT: (1, 0), PART: (0, 1), AMOUNT - PART: (1, -1), -AMOUNT: (-1, 0), -PART: (0, -1)}
MADE_OF |= {PART - AMOUNT: (-1, 1)}

_OUTCOMES = {"succeeded": Outcome.APPROVED, "declined": Outcome.DECLINED, "action": Outcome.ACTION}
_OUTCOMES |= {"pending": Outcome.PENDING, "unknown": Outcome.UNKNOWN}


@dataclass(frozen=True)
class Turn:
    """One operation. `at`: when, as a share of the life's span. A `fact` was commanded by nobody here."""

    kind: str
    asked: int = AMOUNT
    to: str = "succeeded"
    at: float = 0.0
    fact: bool = False
    released: int = 0
    code: str | None = None
    reason: str | None = None
    actor: str | None = None  # None: the merchant's API key
    stage: str | None = None


@dataclass(frozen=True)
class Life:
    """`fresh` and `settled`: how many of 1000 payments of the last days, and of older ones, go this way."""

    name: str
    fresh: int
    settled: int
    hours: int
    turns: tuple[Turn, ...]
    youngest_hours: int = 0  # of payments that have gone this way
    oldest_hours: int = 24 * 365


_CAPTURE = Turn("capture", at=0.3)
_WITHDRAWN = "Widerruf"

LIVES = (
    Life("created", 10, 0, 0, (), oldest_hours=20),
    Life("action", 8, 0, 0, (Turn("authorise", to="action"),), oldest_hours=20),
    Life("pending", 4, 0, 0, (Turn("authorise", to="pending"),)),
    Life("unknown", 1, 0, 0, (Turn("authorise", to="unknown"),)),
    Life("authorised", 230, 0, 0, (Turn("authorise"),)),
    Life("captured_in_part", 30, 0, 40, (Turn("authorise"), Turn("capture", PART, at=1.0))),
    Life("captured", 534, 676, 40, (Turn("authorise"), Turn("capture", at=1.0))),
    Life("captured_in_two", 20, 50, 90, (Turn("authorise"), Turn("capture", PART, at=0.3), Turn("capture", 700, at=1))),
    Life("rest_released", 10, 20, 40, (Turn("authorise"), Turn("capture", PART, at=1.0, released=AMOUNT - PART))),
    Life("refunded", 20, 60, 300, (Turn("authorise"), _CAPTURE, Turn("refund", at=1.0, reason=_WITHDRAWN))),
    Life(
        "refunded_in_part", 20, 40, 300, (Turn("authorise"), _CAPTURE, Turn("refund", PART, at=1.0, reason=_WITHDRAWN))
    ),
    Life("cancelled", 20, 30, 60, (Turn("authorise"), Turn("cancel", at=1.0, reason="Nicht lieferbar"))),
    Life(
        *("expired", 0, 25, 24 * 7),
        (Turn("authorise"), Turn("cancel", at=1.0, fact=True, code="expired", actor="job:expire", stage="expired")),
        youngest_hours=24 * 8,
    ),
    Life("no_funds", 50, 50, 0, (Turn("authorise", to="declined", code="insufficient_funds"),)),
    Life("not_honoured", 30, 30, 0, (Turn("authorise", to="declined", code="do_not_honour"),)),
    Life("card_expired", 13, 15, 0, (Turn("authorise", to="declined", code="card_expired"),)),
    Life(
        *("charged_back", 0, 4, 24 * 30),
        (Turn("authorise"), _CAPTURE, Turn("chargeback", at=1.0, fact=True, actor="provider:sandbox_card")),
    ),
)


@dataclass(frozen=True)
class Step:
    """A turn and what came of it. `payment_step`: that of its outcome; `sums` are those after it (examples)."""

    life: str
    place: int
    turn: Turn
    payment_step: int
    booked: int | None
    sums: dict[str, int] = field(repr=False)
    stage: str
    is_open: bool
    posting: Posting | None
    last: bool

    @property
    def noun(self) -> str:
        return NOUN[self.turn.kind]


def steps(life: Life) -> Iterator[Step]:
    """Lives it: reserve, answer, record, as the product does."""
    sums, stage, is_open, payment_step = dict.fromkeys(AMOUNTS, 0), "created", False, 1
    for place, turn in enumerate(life.turns, start=1):
        if not turn.fact:
            _add(sums, reserve(turn.kind, turn.asked))
            payment_step += 1
        asked_in = "declined" if turn.fact else "submitted"
        effect = of_answer(turn.kind, asked_in, turn.asked, sums, _OUTCOMES[turn.to], None, turn.released)
        _add(sums, dict(effect.deltas))
        stage = turn.stage or effect.stage or stage
        is_open = effect.is_open if effect.is_open is not None else is_open or turn.kind == "authorise"
        payment_step += 1
        assert len(effect.postings) < 2, turn
        yield Step(
            life=life.name,
            place=place,
            turn=turn,
            payment_step=payment_step,
            booked=effect.booked,
            sums=dict(sums),
            stage=stage,
            is_open=is_open,
            posting=effect.postings[0] if effect.postings else None,
            last=place == len(life.turns),
        )


def _add(sums: dict[str, int], deltas: dict[str, Any]) -> None:
    for name, change in deltas.items():
        sums[name] += change
