"""What was answered with "pending" gets its end later, and the merchant hears of it."""

from typing import Any

from sandbox.acquirers.acquirer import Acquirer
from sandbox.acquirers.book import Operation
from sandbox.acquirers.dispute import begin_disputes

DONE_WORDS = {"capture": "captured", "refund": "refunded", "cancel": "cancelled"}


def settle_later(acquirer: Acquirer, operation: Operation) -> None:
    letter_waits = {"capture": acquirer.letter.capture_after, "refund": acquirer.letter.refund_after}
    seconds = letter_waits.get(operation.verb)
    acquirer.later.do(
        acquirer.control.pending_seconds if seconds is None else seconds, lambda: settle(acquirer, operation)
    )


def settle(acquirer: Acquirer, operation: Operation) -> None:
    authorisation = operation.authorisation
    assert authorisation and operation.state == "pending"
    line = line_again(operation)
    if operation.outcome == "pending_decline":
        reason = authorisation.card.reason if operation.verb == "authorise" else "refused"
        acquirer.book.record("declined", **line, reason=reason)
    elif operation.verb == "authorise":
        approve(acquirer, line)
    else:
        acquirer.book.record(DONE_WORDS[operation.verb], **line, **released(operation.final, authorisation.left))
        if operation.verb == "capture":
            begin_disputes(acquirer, authorisation)
    acquirer.tell(operation)


def approve(acquirer: Acquirer, line: dict[str, Any]) -> None:
    """An authorisation is approved, and captured in the same step if that was asked for."""
    book = acquirer.book
    book.record("authorised", **line, expires_at=round(book.now() + acquirer.letter.authorisation_seconds, 3))
    if not line["capture"]:
        return
    same = {name: line[name] for name in ("key", "amount", "currency", "reference", "last4", "mark")}
    of = {"authorisation": line["id"], "with_authorise": True}
    book.record("captured", id=acquirer.new_id("cp"), verb="capture", **same, **of)
    begin_disputes(acquirer, acquirer.authorisation(line["id"]))


def line_again(operation: Operation) -> dict[str, Any]:
    """What a later journal line about an operation repeats, so that each line can be read alone."""
    authorisation = operation.authorisation
    assert authorisation
    line: dict[str, Any] = {
        "id": operation.id,
        "verb": operation.verb,
        "key": operation.key,
        "amount": operation.amount,
        "currency": operation.currency,
        "reference": authorisation.reference,
        "last4": authorisation.last4,
        "mark": operation.mark,
    }
    if operation.verb == "authorise":
        return {**line, "brand": authorisation.brand, "capture": operation.capture}
    return {**line, "authorisation": authorisation.id, "final": operation.final}


def released(final: bool, rest: int) -> dict[str, int]:
    """A final capture lets go of the rest."""
    return {"released": rest} if final and rest > 0 else {}
