"""Disputes: INQUIRY -> CHARGED_BACK -> REVERSED | LOST, as told by providers. Booked, told, on a worklist."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from app.connectors.kinds import Answer, DisputeNews, News, Outcome
from app.core.clock import business_today, now
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.states import move
from app.ledger import recipes
from app.ledger.post import Reason, post
from app.payments.disputed import DISPUTES as DISPUTES
from app.payments.disputed import booked_as_lost, in_dispute, left_by
from app.payments.perform import apply_answer
from app.payments.prepare import fact
from app.payments.queries import OPERATIONS, Held, held_authorisation, named_capture
from app.payments.states import DISPUTE


def book(connection: Connection, held: Held, news: News, actor: str) -> None:
    """Books one turn of a dispute on the held payment. News may come twice, late, or in the wrong order."""
    turn = news.dispute
    assert turn is not None
    known = _known(connection, held, turn)
    if news.outcome is not Outcome.APPROVED:
        _not_understood(connection, held, known, news, actor)
        return
    dispute = known or _opened(connection, held, news, turn, actor)
    if turn.turn in ("inquiry", dispute["state"]) or _overtaken(news, turn, dispute):
        _update(connection, dispute, news)  # what followed from it is booked already
        return
    if dispute["state"] in ("inquiry", "reversed") and turn.turn in ("charged_back", "lost"):
        dispute["amount"] = news.amount or dispute["amount"]  # an inquiry may have named more than is taken
        if turn.turn == "lost":  # nothing is lost that was not taken before
            _charge_back(connection, held, dispute, news, actor)
            dispute = _moved(connection, dispute, "charged_back", news, actor)
    if turn.turn == "charged_back":
        _charge_back(connection, held, dispute, news, actor)
    elif turn.turn == "reversed" and dispute["state"] in ("charged_back", "lost"):
        _give_back(connection, held, dispute, news, actor)
    elif turn.turn == "lost":
        _lose(connection, held, dispute)
    _moved(connection, dispute, turn.turn, news, actor)


def _known(connection: Connection, held: Held, turn: DisputeNews) -> dict[str, Any] | None:
    mine = (DISPUTES.c.contract_id == held.contract["id"], DISPUTES.c.provider_reference == turn.provider_reference)
    row = connection.execute(select(DISPUTES).where(*mine).with_for_update()).mappings().first()
    return dict(row) if row else None


def _not_understood(
    connection: Connection, held: Held, known: Mapping[str, Any] | None, news: News, actor: str
) -> None:
    """A word that nobody here knows moves no money and opens nothing; a person reads it at the provider."""
    turn = news.dispute
    assert turn is not None
    if known:
        _update(connection, known, news)
    tell(
        "dispute.not_understood",
        subject=("dispute", known["id"]) if known else ("payment", held.payment["id"]),
        merchant_id=held.payment["merchant_id"],
        live=held.payment["live"],
        audience="staff",
        payment_id=held.payment["id"],
        data={
            "dispute": public_id("dsp", known["id"]) if known else None,
            "provider_reference": turn.provider_reference,
            "provider_code": news.provider_code,
        },
        actor=actor,
    )


def _opened(connection: Connection, held: Held, news: News, turn: DisputeNews, actor: str) -> dict[str, Any]:
    """A dispute seen for the first time; it starts as an inquiry, whatever its first news says."""
    at = news.occurred_at or now()
    row = {
        "id": uuid7(),
        "merchant_id": held.payment["merchant_id"],
        "live": held.payment["live"],
        "payment_id": held.payment["id"],
        "authorisation_id": held.authorisation["id"],
        "contract_id": held.contract["id"],
        "provider_reference": turn.provider_reference,
        "state": "inquiry",
        "step": 1,
        "amount": news.amount or held.payment["captured"] or held.payment["amount"],
        "currency": held.payment["currency"],
        "fee": 0,
        "fee_currency": None,
        "reason": turn.reason,
        "respond_by": _moment(turn.respond_by),
        "opened_at": at,
        "updated_at": at,
    }
    connection.execute(insert(DISPUTES).values(row))
    tell(
        "dispute.opened",
        subject=("dispute", row["id"]),
        step=1,
        merchant_id=row["merchant_id"],
        live=row["live"],
        payment_id=row["payment_id"],
        payment_step=held.payment["step"],
        data=_told(row),
        actor=actor,
    )
    return row


def _charge_back(connection: Connection, held: Held, dispute: Mapping[str, Any], news: News, actor: str) -> None:
    whose = {
        "reference": dispute["provider_reference"],
        "capture_id": named_capture(connection, held, news.capture_reference),
    }
    booked = fact(connection, held, "chargeback", dispute["amount"], **whose, actor=actor)
    apply_answer(connection, booked, Answer(Outcome.APPROVED, amount=dispute["amount"]), actor=actor)


def _lose(connection: Connection, held: Held, dispute: Mapping[str, Any]) -> None:
    """A loss is what was in dispute: money that had been refunded before is a loss already."""
    amount = min(dispute["amount"], max(0, in_dispute(connection, dispute["payment_id"])))
    _post(connection, held, dispute, "lost", recipes.lost(amount))
    _settle(connection, held, dispute)


def _settle(connection: Connection, held: Held, dispute: Mapping[str, Any]) -> None:
    _post(connection, held, dispute, "settled", recipes.undisputed(left_by(connection, dispute)))


def _give_back(connection: Connection, held: Held, dispute: Mapping[str, Any], news: News, actor: str) -> None:
    if dispute["state"] == "lost":
        lost = booked_as_lost(connection, dispute)
        _post(connection, held, dispute, "won_after_all", recipes.lost(-lost))
    whose = {
        "reference": dispute["provider_reference"],
        "capture_id": named_capture(connection, held, news.capture_reference) or _taken_from(connection, dispute),
    }
    booked = fact(connection, held, "reversal", dispute["amount"], **whose, actor=actor)
    apply_answer(connection, booked, Answer(Outcome.APPROVED, amount=dispute["amount"]), actor=actor)
    _settle(connection, held, dispute)


def _taken_from(connection: Connection, dispute: Mapping[str, Any]) -> UUID | None:
    """The capture that the chargeback named."""
    query = select(OPERATIONS.c.capture_id).where(
        OPERATIONS.c.contract_id == dispute["contract_id"],
        OPERATIONS.c.provider_reference == dispute["provider_reference"],
        OPERATIONS.c.kind == "chargeback",
    )
    return connection.execute(query.order_by(OPERATIONS.c.id.desc()).limit(1)).scalar()


def _moved(connection: Connection, dispute: Mapping[str, Any], to: str, news: News, actor: str) -> dict[str, Any]:
    dispute = _update(connection, dispute, news)
    step = move(connection, DISPUTE, DISPUTES, dispute, to, data=_told({**dispute, "state": to}), actor=actor)
    return {**dispute, "state": to, "step": step}


def _update(connection: Connection, dispute: Mapping[str, Any], news: News) -> dict[str, Any]:
    """Deadline and fee may come with any turn, also one that was overtaken (if no newer one has named a fee)."""
    turn = news.dispute
    assert turn is not None
    at = news.occurred_at or now()
    is_newest = at >= dispute["updated_at"]
    values: dict[str, Any] = {"updated_at": max(at, dispute["updated_at"]), "amount": dispute["amount"]}
    if turn.respond_by is not None and is_newest:
        values["respond_by"] = _moment(turn.respond_by)
    if turn.fee is not None and (is_newest or not (dispute["fee"] or dispute["fee_currency"])):
        values |= {"fee": turn.fee, "fee_currency": turn.fee_currency or dispute["currency"]}
        _post_fee(connection, dispute, news, values)
    connection.execute(update(DISPUTES).where(DISPUTES.c.id == dispute["id"]).values(values))
    return {**dispute, **values}


def _post_fee(connection: Connection, dispute: Mapping[str, Any], news: News, named: Mapping[str, Any]) -> None:
    """What the fee is more (or less) than what is booked of it, in its own currency."""
    before = dispute["fee_currency"] or dispute["currency"]
    more = {before: -dispute["fee"]}
    more[named["fee_currency"]] = more.get(named["fee_currency"], 0) + named["fee"]
    for currency, amount in more.items():
        if amount:
            held = held_authorisation(connection, dispute["authorisation_id"])
            posting = recipes.dispute_fee(amount)
            _post(connection, held, dispute, f"fee/{news.id}/{currency}", posting, currency)


def _post(
    connection: Connection,
    held: Held,
    dispute: Mapping[str, Any],
    what: str,
    posting: recipes.Posting,
    currency: str | None = None,
) -> None:
    """`currency`: if it is not the dispute's."""
    if not posting.lines:
        return
    post(
        connection,
        posting,
        Reason(
            key=f"{public_id('dsp', dispute['id'])}/{what}/{dispute['step']}",
            merchant_id=dispute["merchant_id"],
            live=dispute["live"],
            currency=currency or dispute["currency"],
            contract_id=dispute["contract_id"],
            payment_id=dispute["payment_id"],
            operation_id=None,
            merchant_reference=held.payment["merchant_reference"],
            booking_date=business_today(held.clock_offset_seconds, held.timezone),
            fact=True,
        ),
    )


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "dispute": public_id("dsp", row["id"]),
        "payment": {"id": public_id("pay", row["payment_id"])},
        "state": row["state"],
        "amount": row["amount"],
        "currency": row["currency"],
        "reason": row["reason"],
        "respond_by": row["respond_by"].isoformat() if row["respond_by"] else None,
    }


def _overtaken(news: News, turn: DisputeNews, dispute: Mapping[str, Any]) -> bool:
    """Did something newer arrive before it? Without a time, at least nothing is charged back after it was lost."""
    older = news.occurred_at is not None and news.occurred_at < dispute["updated_at"]
    return older or (turn.turn == "charged_back" and dispute["state"] == "lost")


def _moment(value: datetime | date | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time(23, 59, 59), tzinfo=UTC)
