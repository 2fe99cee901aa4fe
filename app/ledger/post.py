"""`post()`: the only writer of the books."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.core.clock import now
from app.core.db import transaction
from app.core.errors import Conflict
from app.core.fast import Statement
from app.core.ids import uuid7
from app.core.texts import N_
from app.ledger.accounts import account_id
from app.ledger.recipes import Posting


class PeriodClosed(Conflict):
    code = "period_closed"
    message = N_("The books are closed for %(day)s.")
    advice = N_("Book it with a later date.")


@dataclass(frozen=True, slots=True)
class Reason:
    """What the entry is about. `key` is unique per merchant: booking it twice fails, whatever happens.

    `fact`: somebody else has done it, so it must be booked: if its day is closed, on the first open one. The value date
    stays the day on which it happened.
    """

    key: str
    merchant_id: UUID
    live: bool
    currency: str
    contract_id: UUID | None
    payment_id: UUID | None
    operation_id: UUID | None
    merchant_reference: str
    booking_date: date
    value_date: date | None = None
    fact: bool = False


# One round trip for an entry: accounts that are missing, the entry, its lines.
_POST = Statement(
    text(
        """
    WITH line AS (
        SELECT * FROM unnest(CAST(:accounts AS uuid[]), CAST(:codes AS text[]), CAST(:amounts AS bigint[]))
            AS line(account_id, code, amount)
    ), missing AS (
        INSERT INTO ledger_accounts (id, merchant_id, live, code, currency, contract_id)
        SELECT account_id, :merchant_id, :live, code, :currency,
               CASE WHEN code = 'provider_balance' THEN CAST(:contract_id AS uuid) END FROM line
        ORDER BY account_id  -- in one order, so that two who open the same accounts never wait for each other
        ON CONFLICT DO NOTHING  -- on any of its keys: naming one lets a race fail on the other
    ), entry AS (
        INSERT INTO ledger_entries (id, merchant_id, live, key, recipe, payment_id, operation_id, contract_id,
                                    merchant_reference, booking_date, value_date, created_at)
        VALUES (:id, :merchant_id, :live, :key, :recipe, :payment_id, :operation_id, :contract_id,
                :merchant_reference,
                CASE WHEN :fact THEN greatest(CAST(:booking_date AS date), (
                    SELECT max(last_day) + 1 FROM ledger_closed_periods
                    WHERE merchant_id = :merchant_id AND live = :live)) ELSE CAST(:booking_date AS date) END,
                :value_date, :created_at)
    )
    INSERT INTO ledger_lines (entry_id, account_id, merchant_id, live, amount, currency)
    SELECT :id, account_id, :merchant_id, :live, amount, :currency FROM line
    """
    )
)


def post(connection: Connection, posting: Posting, reason: Reason) -> UUID:
    """Writes one balanced entry and returns its id.

    Raises PeriodClosed, unless it is a fact; a repeated key is an IntegrityError (a bug: callers book under the
    payment's lock).
    """
    assert len(posting.lines) >= 2 and sum(amount for _, amount in posting.lines) == 0, posting
    transaction().posted = True
    entry_id = uuid7()
    codes = [code for code, _ in posting.lines]
    try:
        _POST.run(
            connection,
            {
                "id": entry_id,
                "accounts": [_account(reason, code) for code in codes],
                "codes": codes,
                "amounts": [amount for _, amount in posting.lines],
                "merchant_id": reason.merchant_id,
                "live": reason.live,
                "currency": reason.currency,
                "contract_id": reason.contract_id,
                "key": reason.key,
                "recipe": posting.recipe,
                "payment_id": reason.payment_id,
                "operation_id": reason.operation_id,
                "merchant_reference": reason.merchant_reference,
                "booking_date": reason.booking_date,
                "value_date": reason.value_date or reason.booking_date,
                "created_at": now(),
                "fact": reason.fact,
            },
        )
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == "ZW001":  # raised by the trigger on ledger_entries
            raise PeriodClosed(day=reason.booking_date.isoformat()) from error
        raise
    return entry_id


def _account(reason: Reason, code: str) -> UUID:
    contract = reason.contract_id if code == "provider_balance" else None
    return account_id(reason.merchant_id, reason.live, code, reason.currency, contract)
