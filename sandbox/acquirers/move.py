"""Capture, refund, cancel: money moves on an authorisation, never more than is left."""

from functools import partial
from typing import Any

from sandbox.acquirers import asked as read
from sandbox.acquirers.acquirer import Acquirer
from sandbox.acquirers.asked import Asked
from sandbox.acquirers.book import Authorisation, Operation
from sandbox.acquirers.cards import amount_rule
from sandbox.acquirers.dispute import begin_disputes
from sandbox.acquirers.perform import perform
from sandbox.acquirers.settle import DONE_WORDS, released, settle_later
from sandbox.acquirers.wire import Reply

_PREFIXES = {"capture": "cp", "refund": "rf", "cancel": "cn"}


def move(
    acquirer: Acquirer, verb: str, authorisation_id: str, key: str, mark: str, asked: Asked, base_url: str
) -> Reply:
    """`verb`: capture, refund or cancel. Raises Refused for what is wrong in itself; the rest is a decline."""
    amount, currency = read.money(asked)
    authorisation = acquirer.authorisation(authorisation_id)
    rule = amount_rule(amount)
    reason = why_not(acquirer, verb, authorisation, amount, currency)
    if rule.outcome == "decline":
        reason = reason or "refused"
    line: dict[str, Any] = {
        "id": acquirer.new_id(_PREFIXES[verb]),
        "verb": verb,
        "key": key,
        "authorisation": authorisation_id,
        "amount": amount,
        "currency": currency,
        "reference": read.text(asked, "reference") or authorisation.reference,
        "last4": authorisation.last4,
        "mark": mark,
        "outcome": rule.outcome,
        "news": rule.news,
        "final": verb == "capture" and (acquirer.letter.captures == "one" or asked.get("final") is True),
    }
    do = partial(_do, acquirer, line, authorisation, reason)
    return perform(acquirer, None if reason else rule.effect, base_url, do)


def why_not(acquirer: Acquirer, verb: str, authorisation: Authorisation, amount: int, currency: str) -> str | None:
    """The reason to decline, if there is one."""
    if acquirer.book.operations[authorisation.id].state != "approved":
        return "not_authorised"
    if currency != authorisation.currency:
        return "wrong_currency"
    if verb == "refund":
        return _why_not_refund(authorisation, amount)
    if (
        verb == "capture"
        and acquirer.letter.captures == "one"
        and (authorisation.captures or authorisation.capture_pending)
    ):
        return "already_captured"
    if authorisation.left == 0:
        if authorisation.renewed:
            return "authorisation_renewed"
        return "already_captured" if authorisation.captures else "already_cancelled"
    if verb == "capture" and authorisation.expires_at <= acquirer.book.now():
        return "authorisation_expired"
    return None if amount <= authorisation.left else "more_than_left"


def _why_not_refund(authorisation: Authorisation, amount: int) -> str | None:
    if authorisation.captures == 0:
        return "not_captured"
    if authorisation.refundable == 0:
        return "charged_back" if authorisation.charged_back else "already_refunded"
    return None if amount <= authorisation.refundable else "more_than_left"


def _do(acquirer: Acquirer, line: dict[str, Any], authorisation: Authorisation, reason: str | None) -> Operation:
    book, verb = acquirer.book, line["verb"]
    letter_waits = {"capture": acquirer.letter.capture_after, "refund": acquirer.letter.refund_after}.get(verb)
    if reason:
        book.record("declined", **line, reason=reason)
    elif line["outcome"] != "approve" or letter_waits is not None:
        book.record("accepted", **line)
    else:
        rest = released(line["final"], authorisation.left - line["amount"])
        book.record(DONE_WORDS[verb], **line, **rest)
        if verb == "capture":
            begin_disputes(acquirer, authorisation)
    operation = book.operations[line["id"]]
    if operation.state == "pending":
        settle_later(acquirer, operation)
    elif acquirer.tells_anyway(operation):
        acquirer.tell(operation)
    return operation
