"""Authorise, finish after 3-D Secure, renew, store a card."""

from typing import Any

from sandbox.acquirers import asked as read
from sandbox.acquirers.acquirer import Acquirer, Refused
from sandbox.acquirers.asked import Asked
from sandbox.acquirers.book import Operation
from sandbox.acquirers.cards import PublishedCard, amount_rule
from sandbox.acquirers.move import why_not
from sandbox.acquirers.perform import perform
from sandbox.acquirers.settle import approve, line_again, settle_later
from sandbox.acquirers.wire import Reply

RENEWABLE_SECONDS = 29 * 86_400
_DECISION_REASONS = {"decline": "authentication_failed", "cancel": "payer_cancelled"}


def authorise(acquirer: Acquirer, key: str, mark: str, asked: Asked, base_url: str) -> Reply:
    amount, currency = read.money(asked)
    card = read.card(acquirer, asked)
    outcome = _decide(card.rule, read.initiator(asked))
    line: dict[str, Any] = {
        "id": acquirer.new_id("au"),
        "verb": "authorise",
        "key": key,
        "amount": amount,
        "currency": currency,
        "reference": read.text(asked, "reference"),
        "last4": card.last4,
        "brand": card.brand,
        "card": card.rule.name,
        "token": card.token,
        "mark": mark,
        "stored": isinstance(asked.get("token"), str) or (asked.get("store") is True and outcome != "decline"),
        "capture": asked.get("capture") is True and acquirer.letter.captures_with_authorise,
        "outcome": outcome,
        "news_url": read.url(asked, "news_url"),
    }
    return_url = read.url(asked, "return_url")
    if outcome.startswith("challenge"):
        if not return_url:
            raise Refused(422, "invalid", "return_url")
        line |= {"return_url": return_url, "acs": acquirer.new_id("acs")}
    return perform(acquirer, card.rule.effect, base_url, lambda: _begin(acquirer, line, card.rule))


def _decide(rule: PublishedCard, initiator: str) -> str:
    if initiator == "merchant" and rule.outcome.startswith("challenge"):
        return "approve" if rule.outcome == "challenge" else "decline"
    return rule.outcome


def _begin(acquirer: Acquirer, line: dict[str, Any], rule: PublishedCard) -> Operation:
    outcome = line["outcome"]
    if outcome == "approve":
        approve(acquirer, line)
    elif outcome == "decline":
        acquirer.book.record("declined", **line, reason=rule.reason)
    elif outcome.startswith("challenge"):
        acquirer.book.record("challenged", **line)
    else:
        acquirer.book.record("accepted", **line)
    operation = acquirer.book.operations[line["id"]]
    if operation.state == "pending":
        settle_later(acquirer, operation)
    elif operation.state != "action" and acquirer.tells_anyway(operation):
        acquirer.tell(operation)
    return operation


def finish(acquirer: Acquirer, authorisation_id: str, asked: Asked, base_url: str) -> Reply:
    """The payer is back. `challenge` is the proof that the ACS page gave to the browser; without it, or
    before the payer has decided, the action stands."""
    acquirer.authorisation(authorisation_id)
    operation = acquirer.book.operations[authorisation_id]
    proof = read.text(asked, "challenge")

    def do() -> Operation:
        if operation.state == "action" and operation.decision and proof == proof_of(acquirer, operation):
            end_challenge(acquirer, operation)
            if acquirer.tells_anyway(operation):
                acquirer.tell(operation)
        return operation

    return perform(acquirer, None, base_url, do, seen=True)


def proof_of(acquirer: Acquirer, operation: Operation) -> str:
    return acquirer.fingerprint(f"challenge\0{operation.id}\0{operation.decision}".encode())


def end_challenge(acquirer: Acquirer, operation: Operation) -> None:
    assert operation.state == "action" and operation.decision and operation.authorisation
    reason = _DECISION_REASONS.get(operation.decision)
    if operation.outcome == "challenge_fails":
        reason = reason or operation.authorisation.card.reason
    if reason:
        acquirer.book.record("declined", **line_again(operation), reason=reason)
    else:
        approve(acquirer, line_again(operation))


def renew(acquirer: Acquirer, authorisation_id: str, key: str, mark: str, asked: Asked, base_url: str) -> Reply:
    """A new authorisation in the place of a fading one, for what is left of it at most, without the payer."""
    amount, currency = read.money(asked)
    old = acquirer.authorisation(authorisation_id)
    rule = amount_rule(amount)
    reason = why_not(acquirer, "reauthorise", old, amount, currency)
    if old.expires_at + RENEWABLE_SECONDS < acquirer.book.now():
        reason = reason or "authorisation_expired"
    if rule.outcome != "approve":
        reason = reason or "do_not_honour"
    line: dict[str, Any] = {
        "id": acquirer.new_id("au"),
        "verb": "authorise",
        "key": key,
        "amount": amount,
        "currency": currency,
        "reference": read.text(asked, "reference") or old.reference,
        "last4": old.last4,
        "brand": old.brand,
        "card": old.card.name,
        "token": old.token,
        "mark": mark,
        "capture": False,
        "news_url": read.url(asked, "news_url") or old.news_url,
    }

    def do() -> Operation:
        if reason:
            acquirer.book.record("declined", **line, reason=reason)
        else:
            approve(acquirer, {**line, "renews": authorisation_id})
        operation = acquirer.book.operations[line["id"]]
        if acquirer.tells_anyway(operation):
            acquirer.tell(operation)
        return operation

    return perform(acquirer, None if reason else rule.effect, base_url, do)


def store_card(acquirer: Acquirer, key: str, mark: str, asked: Asked, base_url: str) -> Reply:
    """A card into a token. Cards that are declined for lack of money and the like can be stored."""
    card = read.card(acquirer, asked)
    line: dict[str, Any] = {
        "id": acquirer.new_id("tk"),
        "verb": "register",
        "key": key,
        "amount": 0,
        "currency": read.text(asked, "currency"),
        "last4": card.last4,
        "brand": card.brand,
        "card": card.rule.name,
        "token": card.token,
        "mark": mark,
    }

    def do() -> Operation:
        if card.rule.registers:
            acquirer.book.record("registered", **line, stored=True)
        else:
            acquirer.book.record("declined", **line, reason=card.rule.reason)
        return acquirer.book.operations[line["id"]]

    return perform(acquirer, card.rule.effect, base_url, do)
