"""What the page of a batch shows: how far it is, what went wrong and why, and every row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy import Connection, Integer, and_, case, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from admin import actors, formats, words
from admin.here import scope, staff
from admin.words import Word
from app.batches.models import BATCHES, ROWS
from app.core.errors import NotFound
from app.core.texts import N_
from app.merchants.models import Merchant
from app.payments.queries import OPERATIONS, PAYMENTS

Row = Mapping[str, Any]

_WAITS = Word(N_("Waits"), "wait", "clock")
_LEFT = Word(N_("Left as it was"), "quiet", "ring")
_REFUSED = Word(N_("Not done"), "bad", "cross")
_CLOSED = Word(N_("Attempt closed"), "good", "check")
_PER_PAGE = 100

# A cancelled attempt is an authorisation that was declined by us: that is what was wanted.
_closed = and_(OPERATIONS.c.kind == "authorise", OPERATIONS.c.code == "cancelled")
_outcome = case(
    (ROWS.c.state != "done", ROWS.c.state),
    (or_(OPERATIONS.c.state == "succeeded", _closed), "succeeded"),
    (OPERATIONS.c.state.in_(("declined", "failed")), "refused"),
    else_="open",
)
_JOINED = ROWS.join(PAYMENTS, PAYMENTS.c.id == ROWS.c.payment_id).outerjoin(
    OPERATIONS, OPERATIONS.c.id == ROWS.c.operation_id
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows there are, and how many of each outcome."""

    total: int
    succeeded: int
    refused: int
    open: int  # with the provider, without an answer, or waiting for approval
    stopped: int
    waiting: int

    @property
    def ended(self) -> int:
        return self.total - self.waiting


def latest(connection: Connection, live: bool) -> Sequence[Row]:
    """Batches about payments of merchants that whoever asks may see, the newest first."""
    query = select(BATCHES).where(BATCHES.c.live == live).order_by(BATCHES.c.id.desc()).limit(50)
    merchants = scope().merchants
    if merchants is not None:
        query = query.where(BATCHES.c.merchants.overlap(cast(list(merchants), ARRAY(BATCHES.c.id.type))))
    batches = [{**row} for row in connection.execute(query).mappings()]
    tallies = _tallies(connection, [one["id"] for one in batches])
    known = actors.names([one["actor"] for one in batches])
    return [{**one, "tally": tallies.get(one["id"]), "by": known[one["actor"]]} for one in batches]


def read(connection: Connection, batch_id: UUID) -> Row:
    """Raises NotFound, also where all its payments are somebody else's to see."""
    found = connection.execute(select(BATCHES).where(BATCHES.c.id == batch_id)).mappings().first()
    if found is None or not any(scope().admits(merchant) for merchant in found["merchants"]):
        raise NotFound()
    return {**found}


def title(batch: Row) -> str:
    return _("Several captured at once") if batch["verb"] == "capture" else _("Several cancelled at once")


def picture(connection: Connection, batch: Row) -> dict[str, Any]:
    tally = _tallies(connection, [batch["id"]]).get(batch["id"]) or Tally(0, 0, 0, 0, 0, 0)
    after = request.args.get("after", 0, type=int)
    rows = _rows(connection, batch["id"], ROWS.c.number > after, _PER_PAGE + 1)
    wrong = _rows(connection, batch["id"], _outcome == "refused", 1_000)
    return {
        "batch": batch,
        "tally": tally,
        "under_way": batch["finished_at"] is None,
        "by": actors.names([batch["actor"]])[batch["actor"]],
        "wrong": [_line(row) for row in wrong],
        "rows": [_line(row) for row in rows[:_PER_PAGE]],
        "next": rows[_PER_PAGE - 1]["number"] if len(rows) > _PER_PAGE else None,
        "later": bool(after),
        "may_stop": batch["stopped_at"] is None
        and all(staff().may(f"payment.{batch['verb']}", merchant) for merchant in batch["merchants"]),
    }


def _tallies(connection: Connection, batches: Sequence[UUID]) -> dict[UUID, Tally]:
    if not batches:
        return {}
    source = ROWS.outerjoin(OPERATIONS, OPERATIONS.c.id == ROWS.c.operation_id)
    names = ("succeeded", "refused", "open", "stopped", "waiting")
    counts = [cast(func.count().filter(_outcome == literal(name)), Integer) for name in names]
    query = select(ROWS.c.batch_id, func.count(), *counts).select_from(source)
    found = connection.execute(query.where(ROWS.c.batch_id.in_(batches)).group_by(ROWS.c.batch_id))
    return {row[0]: Tally(*tuple(row)[1:]) for row in found}


def _rows(connection: Connection, batch_id: UUID, which: Any, limit: int) -> Sequence[Row]:
    query = (
        select(
            *(ROWS.c[name] for name in ("number", "payment_id", "currency", "state", "why")),
            func.coalesce(func.nullif(ROWS.c.amount, 0), PAYMENTS.c.amount).label("amount"),
            *(PAYMENTS.c[name] for name in ("merchant_reference", "method", "brand", "last4")),
            OPERATIONS.c.state.label("operation_state"),
            OPERATIONS.c.code,
            _outcome.label("outcome"),
            Merchant.name.label("merchant_name"),
        )
        .select_from(_JOINED.join(Merchant, Merchant.id == ROWS.c.merchant_id))
        .where(ROWS.c.batch_id == batch_id, which)
        .order_by(ROWS.c.number)
        .limit(limit)
    )
    return [{**row} for row in connection.execute(query).mappings()]


def _line(row: Row) -> dict[str, Any]:
    return {**row, "word": _word(row), "reason": _reason(row)}


def _word(row: Row) -> Word:
    if row["state"] == "waiting":
        return _WAITS
    if row["state"] == "stopped":
        return _LEFT
    if row["state"] == "refused":
        return _REFUSED
    if row["outcome"] == "succeeded" and row["operation_state"] == "declined":
        return _CLOSED
    return words.OPERATION[row["operation_state"]]


def _reason(row: Row) -> str:
    if row["why"]:
        return formats.said(row["why"]["message"], **row["why"]["values"])
    if row["outcome"] == "succeeded":
        return ""
    if row["operation_state"] == "failed" and not row["code"]:
        return _("The provider could not be reached; nothing was sent.")
    return formats.code(row["code"])
