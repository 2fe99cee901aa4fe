"""PaymentIntents and SetupIntents of the Stripe stand-in: confirming, authenticating, capturing, cancelling."""

import time
from typing import Any

from sandbox.stand_in import Thing
from sandbox.stripe.book import Book, Refused, invalid, new_id
from sandbox.stripe.cards import BY_NAME, OWN_CODE, TestCard
from sandbox.stripe.disputes import dispute

WEEK_SECONDS = 7 * 86_400
_OPEN = ("requires_payment_method", "requires_confirmation")


def method_of(book: Book, intent: Thing) -> tuple[Thing, TestCard]:
    method = book.store.get("payment_methods", intent.get("payment_method"))
    if method is None:
        raise invalid("payment_intent_unexpected_state", "There is no payment method.", payment_intent=intent)
    return method, BY_NAME[method["_card"]]


def confirm(book: Book, kind: str, intent: Thing, asked: dict[str, Any], acs: str) -> Thing:
    """`kind`: payment_intents or setup_intents. `acs`: where the payer would pass 3-D Secure."""
    if intent["status"] not in _OPEN or not intent.get("payment_method"):
        raise invalid("payment_intent_unexpected_state", payment_intent=intent, setup_intent=intent)
    method, card = method_of(book, intent)
    off_session = asked.get("off_session") in ("true", "recurring", "one_off")
    if card.three_ds == "always" or (card.three_ds == "unless_saved" and not (off_session and method.get("_saved"))):
        if off_session:
            raise _failed(book, kind, intent, "authentication_required")
        redirect = {"type": "redirect_to_url", "redirect_to_url": {"url": acs, "return_url": asked.get("return_url")}}
        sdk = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
        intent |= {"status": "requires_action", "next_action": redirect if asked.get("return_url") else sdk}
        return book.store.put(kind, intent["id"], intent)
    return settle(book, kind, intent)


def authenticate(book: Book, kind: str, intent: Thing, passed: bool) -> Thing:
    """The payer's answer on the 3-D Secure page; a second answer changes nothing."""
    if intent["status"] != "requires_action":
        return intent
    intent |= {"next_action": None, "status": "requires_confirmation"}
    try:
        if passed:
            return settle(book, kind, intent)
        prefix = "payment" if kind == "payment_intents" else "setup"
        raise _failed(book, kind, intent, f"{prefix}_intent_authentication_failure")
    except Refused:
        return book.store.get(kind, intent["id"]) or intent


def settle(book: Book, kind: str, intent: Thing) -> Thing:
    """What the card says once the payer is known."""
    method, card = method_of(book, intent)
    if card.decline and (kind == "payment_intents" or card.saved_without_question):
        raise _failed(book, kind, intent, card.decline)
    if intent.get("customer") and (kind == "setup_intents" or intent.get("setup_future_usage")):
        method |= {"customer": intent["customer"], "_saved": True}
        book.store.put("payment_methods", method["id"], method)
    if kind == "setup_intents":
        intent |= {"status": "succeeded", "last_setup_error": None}
        book.store.put(kind, intent["id"], intent)
        book.event("setup_intent.succeeded", intent)
        return intent
    return _charge(book, intent, method, card)


def _charge(book: Book, intent: Thing, method: Thing, card: TestCard) -> Thing:
    manual = intent["capture_method"] == "manual"
    charge = {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "captured": False,
        "paid": True,
        "refunded": False,
        "status": "succeeded",
        "created": int(time.time()),
        "currency": intent["currency"],
        "metadata": intent["metadata"],
        "payment_intent": intent["id"],
        "balance_transaction": None,
        "payment_method": method["id"],
        "payment_method_details": {
            "type": "card",
            "card": {
                **method["card"],
                "capture_before": int(time.time()) + WEEK_SECONDS if manual else None,
                "network_transaction_id": new_id("nti")[4:19].upper(),
            },
        },
        "_refund": card.refund,
    }
    book.store.put("charges", charge["id"], charge)
    key = intent["metadata"].get("operation_key")
    book.store.did(
        "authorised", operation_key=key, id=intent["id"], amount=intent["amount"], currency=intent["currency"]
    )
    intent |= {
        "status": "requires_capture",
        "latest_charge": charge["id"],
        "amount_capturable": intent["amount"],
        "last_payment_error": None,
    }
    book.store.put("payment_intents", intent["id"], intent)
    if not manual:
        return capture(book, intent, intent["amount"])
    book.event("payment_intent.amount_capturable_updated", intent)
    return intent


def _failed(book: Book, kind: str, intent: Thing, why: str) -> Refused:
    """Leaves the intent open with an error on it, as Stripe does, and gives the error to raise."""
    own = why in OWN_CODE or why.endswith("authentication_failure") or why == "authentication_required"
    error = {"type": "card_error", "code": why if own else "card_declined", "message": f"Sandbox: {why}"}
    if not why.endswith("authentication_failure"):
        error["decline_code"] = why
    field = "last_payment_error" if kind == "payment_intents" else "last_setup_error"
    intent |= {"status": "requires_payment_method", "payment_method": None, "next_action": None, field: error}
    book.store.put(kind, intent["id"], intent)
    event = "payment_intent.payment_failed" if kind == "payment_intents" else "setup_intent.setup_failed"
    book.event(event, intent)
    more = {kind[:-1]: intent, "decline_code": error.get("decline_code")}
    return Refused(402, "card_error", error["code"], error["message"], **more)


def capture(book: Book, intent: Thing, amount: int) -> Thing:
    """One capture; the rest is released and shows up as a refund that touches no balance."""
    charge = book.store.get("charges", intent.get("latest_charge"))
    if intent["status"] != "requires_capture" or charge is None:
        raise invalid("payment_intent_unexpected_state", payment_intent=intent)
    if not 0 < amount <= intent["amount"]:
        raise invalid("amount_too_large", param="amount_to_capture")
    rest = intent["amount"] - amount
    fee = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "currency": intent["currency"],
        "fee": round(amount * 0.015) + 25,
    }
    book.store.put("balance_transactions", fee["id"], fee)
    charge |= {
        "captured": True,
        "amount_captured": amount,
        "amount_refunded": rest,
        "balance_transaction": fee["id"],
    }
    book.store.put("charges", charge["id"], charge)
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    book.store.put("payment_intents", intent["id"], intent)
    book.store.did("captured", id=intent["id"], amount=amount, currency=intent["currency"], released=rest)
    book.event("charge.captured", charge)
    book.event("payment_intent.succeeded", intent)
    if rest:
        _tell_released(book, charge, rest)
    _dispute_of_card(book, intent, charge)
    return intent


def _tell_released(book: Book, charge: Thing, rest: int) -> None:
    released = {
        "id": new_id("re"),
        "object": "refund",
        "amount": rest,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": int(time.time()),
        "currency": charge["currency"],
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": None,
        "status": "succeeded",
    }
    book.store.put("refunds", released["id"], released)
    book.event("refund.created", released)
    book.event("charge.refunded", {**charge, "refunds": {"object": "list", "data": [released]}})


def _dispute_of_card(book: Book, intent: Thing, charge: Thing) -> None:
    method = book.store.get("payment_methods", charge["payment_method"])
    card = BY_NAME[method["_card"]] if method else None
    if card and card.dispute:
        dispute(book, intent["id"], card.dispute)


def cancel(book: Book, kind: str, intent: Thing, reason: str | None) -> Thing:
    if intent["status"] in ("succeeded", "canceled", "processing"):
        raise invalid("payment_intent_unexpected_state", payment_intent=intent, setup_intent=intent)
    held = intent["status"] == "requires_capture"
    intent |= {"status": "canceled", "cancellation_reason": reason, "next_action": None}
    if kind == "payment_intents":
        intent["amount_capturable"] = 0
    book.store.put(kind, intent["id"], intent)
    charge = book.store.get("charges", intent.get("latest_charge"))
    if held and charge:
        charge |= {"refunded": True, "amount_refunded": charge["amount"]}
        book.store.put("charges", charge["id"], charge)
        book.store.did("cancelled", id=intent["id"], amount=intent["amount"], currency=intent["currency"])
        _tell_released(book, charge, charge["amount"])
    book.event(f"{kind[:-1]}.canceled", intent)
    return intent
