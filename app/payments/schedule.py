"""Captures by date: only as late as a reservation lives, or the payment would lapse before its day comes."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.core.clock import business_today
from app.core.errors import Refusal
from app.core.texts import N_
from app.merchants.contracts import authorisation_days
from app.merchants.models import Merchant
from app.payments.queries import CONTRACTS
from app.routing.choose import Candidate

Row = Mapping[str, Any]


class CaptureDateTooLate(Refusal):
    code = "capture_date_too_late"
    message = N_("The money cannot be reserved until then: %(latest)s is the last possible date.")
    advice = N_("Send that date or an earlier one. For a later one, keep the card and charge it then.")


def refuse_too_late(connection: Connection, capture_on: date, *, merchant_id: UUID, live: bool, currency: str) -> None:
    """Raises CaptureDateTooLate when none of the merchant's contracts reserves for so long. With which of them the
    payment will be made is not known yet."""
    query = select(CONTRACTS.c.provider, CONTRACTS.c.authorisation_days).where(
        CONTRACTS.c.merchant_id == merchant_id,
        CONTRACTS.c.live == live,
        CONTRACTS.c.active,
        CONTRACTS.c.currencies.contains([currency]),
    )
    contracts: list[Row] = [dict(row) for row in connection.execute(query).mappings()]
    if contracts and not lasting(connection, contracts, capture_on, merchant_id):
        raise CaptureDateTooLate(param="capture_on", latest=_latest(connection, contracts, merchant_id).isoformat())


def lasting_candidates(connection: Connection, payment: Row, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Those whose reservation lives until the payment's capture. Raises CaptureDateTooLate."""
    if payment["capture_on"] is None:
        return candidates
    contracts = [one.contract for one in candidates]
    long_enough = lasting(connection, contracts, payment["capture_on"], payment["merchant_id"])
    if not long_enough:
        latest = _latest(connection, contracts, payment["merchant_id"])
        raise CaptureDateTooLate(param="capture_on", latest=latest.isoformat())
    return [one for one in candidates if one.contract in long_enough]


def lasting(connection: Connection, contracts: Sequence[Row], capture_on: date, merchant_id: UUID) -> list[Row]:
    """Contracts whose authorisations, made today, live through the whole of that day."""
    today = _today(connection, merchant_id)
    return [row for row in contracts if _last_day(row, today) >= capture_on]


def _latest(connection: Connection, contracts: Sequence[Row], merchant_id: UUID) -> date:
    today = _today(connection, merchant_id)
    return max(_last_day(row, today) for row in contracts)


def _last_day(contract: Row, today: date) -> date:
    return today + timedelta(days=authorisation_days(contract) - 1)


def _today(connection: Connection, merchant_id: UUID) -> date:
    query = select(Merchant.clock_offset_seconds, Merchant.timezone).where(Merchant.id == merchant_id)
    return business_today(*connection.execute(query).one())
