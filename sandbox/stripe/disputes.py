"""Refunds and disputes of the Stripe stand-in."""

import time
from typing import Any

from sandbox.stand_in import Thing
from sandbox.stripe.book import Book, invalid, new_id

FEE = 2000  # minor units, EUR: what Stripe takes for a dispute
_OVER = ("won", "lost", "warning_closed")


def refund(book: Book, asked: dict[str, Any]) -> Thing:
    """`asked`: payment_intent, amount (None is all that is left), metadata."""
    intent = book.store.get("payment_intents", asked.get("payment_intent"))
    charge = book.store.get("charges", (intent or {}).get("latest_charge"))
    if intent is None or charge is None or not charge["captured"]:
        raise invalid("resource_missing", param="payment_intent")
    back = sum(one["amount"] for one in _refunds(book, charge) if one["status"] in ("succeeded", "pending"))
    left = charge["amount_captured"] - back
    amount = int(asked["amount"]) if asked.get("amount") else left
    if not left:
        raise invalid("charge_already_refunded")
    if not 0 < amount <= left:
        raise invalid("amount_too_large", param="amount")
    made = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "created": int(time.time()),
        "currency": charge["currency"],
        "metadata": asked.get("metadata") or {},
        "payment_intent": intent["id"],
        "reason": asked.get("reason"),
        "status": "pending" if charge["_refund"] == "pending" else "succeeded",
    }
    book.store.put("refunds", made["id"], made)
    book.store.did(
        "refunded",
        operation_key=made["metadata"].get("operation_key"),
        id=made["id"],
        amount=amount,
        currency=made["currency"],
    )
    charge["amount_refunded"] += amount
    book.store.put("charges", charge["id"], charge)
    book.event("refund.created", made)
    book.event("charge.refunded", {**charge, "refunds": None})
    if charge["_refund"] == "failed":
        refund_ends(book, made["id"], "failed")
    return made


def refund_ends(book: Book, key: str, status: str) -> Thing:
    """A pending refund succeeds or fails; one that had succeeded may fail later."""
    made = book.store.get("refunds", key)
    if made is None:
        raise invalid("resource_missing")
    made["status"] = status
    if status == "failed":
        made["failure_reason"] = "expired_or_canceled_card"
    book.store.put("refunds", key, made)
    book.event("refund.failed" if status == "failed" else "refund.updated", made)
    return made


def _refunds(book: Book, charge: Thing) -> list[Thing]:
    mine = [one for one in book.store.all("refunds") if one["charge"] == charge["id"]]
    return [one for one in mine if one["balance_transaction"]]


def dispute(book: Book, intent_id: str, status: str, amount: int | None = None, reason: str = "fraudulent") -> Thing:
    """Opens the dispute of a payment, or moves it to another status."""
    intent = book.store.get("payment_intents", intent_id)
    charge = book.store.get("charges", (intent or {}).get("latest_charge"))
    if charge is None:
        raise invalid("resource_missing")
    found = next((one for one in book.store.all("disputes") if one["charge"] == charge["id"]), None)
    new = found or {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount or charge["amount_captured"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": int(time.time()),
        "currency": charge["currency"],
        "evidence_details": {"due_by": int(time.time()) + 8 * 86_400, "has_evidence": False},
        "is_charge_refundable": status.startswith("warning"),
        "payment_intent": intent_id,
        "reason": reason,
        "status": "",
    }
    taken = sum(one["amount"] for one in new["balance_transactions"]) < 0
    takes = status in ("needs_response", "lost") and not taken
    new["status"] = status
    if takes:
        new["balance_transactions"].append(_movement(new, -new["amount"], FEE))
    if status == "won" and taken:
        new["balance_transactions"].append(_movement(new, new["amount"], 0))
    book.store.put("disputes", new["id"], new)
    what = "created" if found is None else "closed" if status in _OVER else "updated"
    book.event(f"charge.dispute.{what}", new)
    if takes:
        book.event("charge.dispute.funds_withdrawn", new)
    if status == "won" and taken:
        book.event("charge.dispute.funds_reinstated", new)
    return new


def _movement(new: Thing, amount: int, fee: int) -> Thing:
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "currency": new["currency"],
        "fee": fee,
        "reporting_category": "dispute",
    }
