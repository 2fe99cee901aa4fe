"""What stands in the database about one payment, read in one round trip, and compared with the model."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.db import ALL, reading
from app.core.fast import Statement, read_together
from app.core.ids import public_id
from tests.payments.histories.model import NO_SUMS, Expected

_STATEMENTS = [
    Statement(text(sql))
    for sql in (
        "SELECT * FROM payments WHERE id = :id",
        "SELECT * FROM authorisations WHERE payment_id = :id ORDER BY attempt, id",
        "SELECT * FROM operations WHERE payment_id = :id ORDER BY created_at, id",
        "SELECT name, subject_type, subject_id, step, payment_step FROM events WHERE payment_id = :id ORDER BY id",
        "SELECT a.code, sum(l.amount)::bigint AS amount FROM ledger_entries e"
        " JOIN ledger_lines l ON l.entry_id = e.id JOIN ledger_accounts a ON a.id = l.account_id"
        " WHERE e.payment_id = :id AND e.recipe <> 'dispute_fee' GROUP BY a.code",
        "SELECT * FROM disputes WHERE payment_id = :id",
        "SELECT a.id, i.pending, t.contract_id FROM authorisations a JOIN instruments i ON i.id = a.instrument_id"
        " LEFT JOIN instrument_tokens t ON t.instrument_id = i.id AND t.contract_id = a.contract_id"
        " WHERE a.payment_id = :id",
    )
]

Row = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    payment: Row
    authorisations: list[Row]
    operations: list[Row]
    events: list[Row]
    books: dict[str, int]
    disputes: list[Row]
    instruments: list[Row]


def look(payment_id: UUID) -> Seen:
    with reading(ALL) as connection:
        payments, authorisations, operations, events, books, disputes, instruments = read_together(
            connection, {"id": payment_id}, *_STATEMENTS
        )
    return Seen(
        payments[0],
        authorisations,
        operations,
        events,
        {row["code"]: row["amount"] for row in books},
        disputes,
        instruments,
    )


def compare(seen: Seen, model: Expected) -> None:
    _operations(seen, model)
    _sums(seen, model)
    assert seen.payment["status"] == model.status, (seen.payment["status"], model.status)
    _books(seen, model)
    _events(seen, model)
    assert {row["provider_reference"]: row["state"] for row in seen.disputes} == {
        reference: quarrel.state for reference, quarrel in model.quarrels.items()
    }


def compare_cards(seen: Seen, model: Expected) -> None:
    """A card that was to be kept has its token wherever it was authorised, however we heard of that, and no other."""
    wanted = {attempt.id for attempt in model.attempts if attempt.store and model.done("authorise", attempt)}
    with_token = {str(row["id"]) for row in seen.instruments if row["contract_id"]}
    assert with_token >= wanted, "a token is lost"
    assert not any(row["pending"] for row in seen.instruments if str(row["id"]) in wanted)
    paid_with = any(attempt.store and attempt.open and attempt.id in wanted for attempt in model.attempts)
    assert not paid_with or seen.payment["instrument_id"] is not None


def _operations(seen: Seen, model: Expected) -> None:
    ours = {
        public_id("op", row["id"]): (row["kind"], row["amount"], row["state"], row["booked_amount"] or 0)
        for row in seen.operations
    }
    expected = {op.id: (op.kind, op.amount, op.state, op.booked) for op in model.ops}
    assert ours == expected


def _sums(seen: Seen, model: Expected) -> None:
    attempts = {attempt.id: attempt for attempt in model.attempts}
    assert {str(row["id"]) for row in seen.authorisations} == set(attempts)
    for row in seen.authorisations:
        expected = model.sums(attempts[str(row["id"])])
        assert {name: row[name] for name in NO_SUMS} == expected, "an authorisation's sums"
        assert row["is_open"] == attempts[str(row["id"])].open, "which authorisation is open"
    assert {name: seen.payment[name] for name in NO_SUMS} == model.sums(), "the payment's sums"


def _books(seen: Seen, model: Expected) -> None:
    sums, books = model.sums(), seen.books
    assert sum(books.values()) == 0
    assert books.get("provider_balance", 0) == sums["captured"] - sums["refunded"] - sums["charged_back"]
    assert books.get("payer_credit", 0) == -sums["over_captured"]
    assert books.get("over_returned_losses", 0) == sums["over_returned"]
    if not model.taken:
        assert books.get("disputed", 0) == 0, "nothing is in dispute once all disputes are over"
    if len(model.quarrels) < 2:  # of several at once, whose it was depends on the order in which they end
        assert books.get("dispute_losses", 0) == model.lost, "a loss is counted once"


def _events(seen: Seen, model: Expected) -> None:
    alarms = {event["name"] for event in seen.events if event["name"].startswith("payment.over_")}
    for name in ("over_captured", "over_returned"):  # that an alarm may be about what has been put right is no matter
        assert not seen.payment[name] or f"payment.{name}" in alarms, name
    told = Counter(event["name"] for event in seen.events if event["name"] not in alarms)
    assert told == Counter(model.events), (told - Counter(model.events), Counter(model.events) - told)
    of_payment = [
        e["payment_step"] for e in seen.events if e["subject_type"] in ("operation", "payment") and e["payment_step"]
    ]
    assert sorted(of_payment) == list(range(1, seen.payment["step"] + 1)), (
        "steps of the payment: each once, without a gap"
    )
    silent = {op.id: op.silent for op in model.ops}
    for row in seen.operations:
        steps = [e["step"] for e in seen.events if e["subject_id"] == row["id"] and e["step"]]
        assert steps == sorted(set(steps)), "an operation's steps in order"
        assert len(steps) + silent[public_id("op", row["id"])] == row["step"], "no step of an operation is missing"
