"""Disputes: inquiry, charged_back, reversed, lost. By themselves after a capture with certain test
cards, or one turn at a time by `POST /control/dispute`."""

from datetime import UTC, datetime, timedelta
from functools import partial

from app.core.money import exponent
from sandbox.acquirers.acquirer import Acquirer
from sandbox.acquirers.book import Authorisation

FEE_UNITS = 15  # in the currency's main unit: 15.00 EUR
RESPOND_WITHIN = timedelta(days=14)
REASON = "fraudulent"


class TurnNotPossible(Exception):
    pass


def begin_disputes(acquirer: Acquirer, authorisation: Authorisation) -> None:
    """The first capture with a card that disputes puts the turns on the clock."""
    if authorisation.captures == 1 and authorisation.card.dispute:
        resume_disputes(acquirer, authorisation)


def resume_disputes(acquirer: Acquirer, authorisation: Authorisation) -> None:
    """The turns that are still to come; after a restart these are not all."""
    for number, turn in enumerate(authorisation.card.dispute[len(authorisation.turns) :], start=1):
        pause = acquirer.control.dispute_seconds * number
        acquirer.later.do(pause, partial(_turn_if_possible, acquirer, authorisation, turn))


def _turn_if_possible(acquirer: Acquirer, authorisation: Authorisation, turn: str) -> None:
    try:
        take_turn(acquirer, authorisation, turn)
    except TurnNotPossible:
        pass  # refunded in the meantime: there is nothing left to dispute


def take_turn(
    acquirer: Acquirer,
    authorisation: Authorisation,
    turn: str,
    amount: int | None = None,
    *,
    although_refunded: bool = False,
) -> None:
    """Raises TurnNotPossible. `amount`: None is all there is. `although_refunded`: banks do not always look."""
    under_dispute = authorisation.charged_back
    open_to_it = authorisation.captured - under_dispute if although_refunded else authorisation.refundable
    most = open_to_it if turn in ("inquiry", "charged_back") else under_dispute
    amount = most if amount is None else amount
    if not 0 < amount <= most or (turn in ("reversed", "lost") and authorisation.turns[-1:] == ["lost"]):
        raise TurnNotPossible()
    dispute_id = f"{authorisation.id}.dispute"
    number = len(authorisation.turns) + 1
    key = acquirer.book.operations[authorisation.id].key
    acquirer.book.record(
        turn,
        id=dispute_id,
        authorisation=authorisation.id,
        key=key,
        amount=amount,
        currency=authorisation.currency,
        reference=authorisation.reference,
        last4=authorisation.last4,
    )
    picture = {
        "id": dispute_id,
        "news": f"{dispute_id}.{number}.{turn}",
        "turn": turn,
        "amount": amount,
        "currency": authorisation.currency,
        "dispute_reason": REASON,
    }
    if turn == "charged_back":
        picture["fee"] = FEE_UNITS * 10 ** exponent(authorisation.currency)
    if turn in ("inquiry", "charged_back"):
        respond_by = datetime.fromtimestamp(acquirer.book.now(), UTC) + RESPOND_WITHIN
        picture["respond_by"] = respond_by.date().isoformat()
    acquirer.tell_dispute(authorisation, picture)
