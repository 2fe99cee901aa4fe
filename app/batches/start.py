"""`start()`: writes down what somebody chose, row by row; the rows are worked on in the background (work.py)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.batches.models import BATCHES, ROWS
from app.core import queue
from app.core.clock import now
from app.core.db import transaction
from app.core.errors import Refusal
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.payments.offers import Verb

MOST = 1_000
JOB = "do_batches"


class TooMany(Refusal):
    code = "too_many_payments"
    message = N_("More than %(most)s payments at once are not worked on.")
    advice = N_("Narrow the list, for example by day, and do it in parts.")

    def __init__(self) -> None:
        super().__init__(most=MOST)


class NothingToDo(Refusal):
    code = "nothing_to_do"
    message = N_("Of these payments none can be worked on.")
    advice = N_("Choose others; below stands why not these.")


@dataclass(frozen=True, slots=True)
class Line:
    """A payment, the amount whose effect was shown (minor units), or why nothing can be done with it."""

    payment: Mapping[str, Any]  # id, merchant_id, live, currency
    amount: int
    refused: Refusal | None = None


def start(
    connection: Connection,
    verb: Verb,
    lines: Sequence[Line],
    *,
    live: bool,
    reason: str,
    user_id: UUID,
    actor: str,
    nonce: str,
) -> UUID:
    """The id of the batch; of the same form sent again that of the first time. Raises TooMany, NothingToDo."""
    if len(lines) > MOST:
        raise TooMany()
    if all(line.refused for line in lines):
        raise NothingToDo()
    batch_id = uuid7()
    columns: dict[str, Any] = {
        "id": batch_id,
        "verb": verb,
        "reason": reason,
        "live": live,
        "actor": actor,
        "nonce": nonce,
    }
    columns["merchants"] = sorted({line.payment["merchant_id"] for line in lines})
    made = connection.execute(
        upsert(BATCHES)
        .values(**columns, started_by=user_id, started_at=now())
        .on_conflict_do_nothing(index_elements=["nonce"])
        .returning(BATCHES.c.id)
    ).scalar()
    if made is None:
        return connection.execute(select(BATCHES.c.id).where(BATCHES.c.nonce == nonce)).scalar_one()
    rows = [_row(batch_id, number, line) for number, line in enumerate(lines, start=1)]
    connection.execute(insert(ROWS), rows)
    for merchant_id in columns["merchants"]:
        of_merchant = [line for line in lines if line.payment["merchant_id"] == merchant_id]
        tell_of(columns, merchant_id, "batch.started", _sums(of_merchant) | {"reason": reason or None}, actor)
    transaction().after_commit.append(lambda: queue.wake(JOB))
    return batch_id


def _row(batch_id: UUID, number: int, line: Line) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "number": number,
        "payment_id": line.payment["id"],
        "merchant_id": line.payment["merchant_id"],
        "live": line.payment["live"],
        "amount": line.amount,
        "currency": line.payment["currency"],
        "state": "refused" if line.refused else "waiting",
        "why": words_of(line.refused) if line.refused else None,
        "attempts": 0,
        "ended_at": now() if line.refused else None,
    }


def words_of(refusal: Refusal) -> dict[str, Any]:
    """A refusal as it is kept: its English text is translated when it is shown."""
    values = {name: value if isinstance(value, int) else str(value) for name, value in refusal.values.items()}
    return {"code": refusal.code, "message": refusal.message, "values": values}


def _sums(lines: Sequence[Line]) -> dict[str, Any]:
    possible = [line for line in lines if line.refused is None]
    sums = Counter[str]()
    for line in possible:
        sums[line.payment["currency"]] += line.amount
    return {"payments": len(possible), "left_out": len(lines) - len(possible), "sums": dict(sums)}


def tell_of(batch: Mapping[str, Any], merchant_id: UUID, name: str, data: Mapping[str, Any], actor: str) -> None:
    """Each merchant is told of its own part: who may see one of them does not see the others'."""
    tell(
        name,
        subject=("batch", batch["id"]),
        merchant_id=merchant_id,
        live=batch["live"],
        audience="staff",
        data={"batch": public_id("bat", batch["id"]), "verb": batch["verb"], **data},
        actor=actor,
    )
