"""Payments, tokens and modifications of the Adyen stand-in."""

import secrets
from datetime import UTC, datetime

from flask import request

from sandbox.adyen import blueprint
from sandbox.adyen.answers import api, asked, book
from sandbox.adyen.book import Refused, new_psp
from sandbox.adyen.cards import card_of, refusal_of
from sandbox.stand_in import Thing

Answer = tuple[int, Thing]


@blueprint.post("/v72/payments")
@api
def pay() -> Answer:
    body = asked()
    for name in ("amount", "merchantAccount", "paymentMethod", "reference", "returnUrl"):
        if not body.get(name):
            raise Refused(422, "14_030" if name == "returnUrl" else "130", message=f"{name} is missing.")
    method = body["paymentMethod"]
    payment = _stored_card(body) if method.get("storedPaymentMethodId") else _raw_card(method)
    payment |= {
        "psp": new_psp(),
        "account": body["merchantAccount"],
        "reference": body["reference"],
        "value": int(body["amount"]["value"]),
        "currency": body["amount"]["currency"],
        "captured": 0,
        "refunded": 0,
        "cancelled": False,
        "shopper": body.get("shopperReference"),
        "store": bool(body.get("storePaymentMethod")),
    }
    payer_there = body.get("shopperInteraction") != "ContAuth" or body.get("browserInfo")
    if payment["three_ds"] and payer_there and not payment["refusal"]:
        return _to_acs(payment, body["returnUrl"])
    return 200, settle(payment)


def _raw_card(method: Thing) -> Thing:
    card = card_of(method.get("number", ""))
    if card is None:
        raise Refused(422, "101", message="Invalid card number")
    expires = (int(method.get("expiryYear", 0)), int(method.get("expiryMonth", 0)))
    today = datetime.now(UTC)
    refusal = refusal_of(method.get("holderName"))
    if expires < (today.year, today.month):
        refusal = ("6", "Expired Card")
    elif method.get("cvc") not in (None, "7373" if card.brand == "amex" else "737"):
        refusal = ("24", "CVC Declined")
    return {
        "brand": card.brand,
        "funding": card.funding,
        "country": card.country,
        "three_ds": card.three_ds,
        "last4": method["number"][-4:],
        "refusal": refusal,
    }


def _stored_card(body: Thing) -> Thing:
    token = book().store.get("tokens", body["paymentMethod"]["storedPaymentMethodId"])
    if token is None or token["shopper"] != body.get("shopperReference"):
        raise Refused(422, "803", message="PaymentDetail not found")
    return dict(token["card"])


def _to_acs(payment: Thing, return_url: str) -> Answer:
    key = secrets.token_urlsafe(16)
    book().store.put("redirects", key, {"payment": payment, "return_url": return_url, "result": None})
    action = {
        "paymentMethodType": "scheme",
        "url": f"{request.url_root}adyen/acs/{key}",
        "method": "GET",
        "type": "redirect",
    }
    return 200, {"pspReference": payment["psp"], "resultCode": "RedirectShopper", "action": action}


@blueprint.post("/v72/payments/details")
@api
def details() -> Answer:
    """Authorises now. As at the real one, the payment gets a new reference."""
    result = asked().get("details", {}).get("redirectResult", "")
    key, _, choice = result.partition("!")
    waiting = book().store.get("redirects", key)
    if waiting is None or waiting["result"] != result:
        raise Refused(422, "702", message="Invalid redirectResult")
    payment = {**waiting["payment"], "psp": new_psp()}
    if choice != "pass":
        payment["refusal"] = ("11", "3D Not Authenticated")
    book().store.put("redirects", key, {**waiting, "result": None})
    return 200, settle(payment)


def settle(payment: Thing) -> Thing:
    """What the bank says: kept, told by AUTHORISATION, and answered."""
    answer: Thing = {"pspReference": payment["psp"], "merchantReference": payment["reference"]}
    refusal = payment["refusal"]
    if refusal:
        number, reason = refusal
        book().notify("AUTHORISATION", payment, success=False, reason=reason)
        result = "Error" if number == "4" else "Refused"
        return {**answer, "resultCode": result, "refusalReasonCode": number, "refusalReason": reason}
    more = {
        "cardSummary": payment["last4"],
        "paymentMethod": payment["brand"],
        "fundingSource": payment["funding"],
        "cardIssuingCountry": payment["country"],
        "networkTxReference": new_psp()[:15],
    }
    if payment["store"] and payment["shopper"]:
        more |= _store(payment)
    payment["authorised"] = True
    book().store.put("payments", payment["psp"], payment)
    if payment["value"]:
        book().store.did("authorised", operation_key=payment["reference"], **_money(payment, payment["value"]))
    book().notify("AUTHORISATION", payment, reason=f"000000:{payment['last4']}:03/2030")
    amount = {"value": payment["value"], "currency": payment["currency"]}
    return {**answer, "resultCode": "Authorised", "amount": amount, "additionalData": more}


def _store(payment: Thing) -> Thing:
    card = {name: payment[name] for name in ("brand", "funding", "country", "three_ds", "last4", "refusal")}
    token = {"id": new_psp(), "shopper": payment["shopper"], "account": payment["account"], "card": card}
    book().store.put("tokens", token["id"], token)
    if book().store.get("quirks", "tokens_later"):
        return {}
    return {
        "tokenization.shopperReference": payment["shopper"],
        "tokenization.storedPaymentMethodId": token["id"],
        "tokenization.store.operationType": "created",
    }


def _money(payment: Thing, value: int) -> Thing:
    return {"id": payment["psp"], "amount": value, "currency": payment["currency"]}


@blueprint.post("/v72/paymentMethods")
@api
def methods() -> Answer:
    if not asked().get("merchantAccount"):
        raise Refused(403, "901", "security", "Invalid Merchant Account")
    return 200, {"paymentMethods": [{"type": "scheme", "name": "Cards", "brands": ["visa", "mc", "amex"]}]}


@blueprint.get("/v72/storedPaymentMethods")
@api
def stored() -> Answer:
    shopper = request.args.get("shopperReference")
    mine = [one for one in book().store.all("tokens") if one["shopper"] == shopper]
    listed = [{"id": one["id"], "type": "scheme", "lastFour": one["card"]["last4"]} for one in mine]
    account = request.args.get("merchantAccount")
    return 200, {"merchantAccount": account, "shopperReference": shopper, "storedPaymentMethods": listed}


# Modifications: "received" at once, the outcome by notification


@blueprint.post("/v72/payments/<psp>/captures")
@api
def capture(psp: str) -> Answer:
    body, payment = asked(), _payment(psp)
    value = _value(body, payment)
    good = not payment["cancelled"] and payment["captured"] + value <= payment["value"]
    if good:
        payment["captured"] += value
        book().store.did("captured", operation_key=body.get("reference"), **_money(payment, value))
    return _modified("CAPTURE", payment, body, value, good, "Insufficient balance on payment")


@blueprint.post("/v72/payments/<psp>/refunds")
@api
def refund(psp: str) -> Answer:
    body, payment = asked(), _payment(psp)
    value = _value(body, payment)
    good = payment["refunded"] + value <= payment["captured"]
    if good:
        payment["refunded"] += value
        book().store.did("refunded", operation_key=body.get("reference"), **_money(payment, value))
    return _modified("REFUND", payment, body, value, good, "Insufficient balance on payment")


@blueprint.post("/v72/payments/<psp>/cancels")
@api
def cancel(psp: str) -> Answer:
    body, payment = asked(), _payment(psp)
    good = not payment["captured"] and not payment["cancelled"]
    if good:
        payment["cancelled"] = True
        book().store.did("cancelled", operation_key=body.get("reference"), **_money(payment, payment["value"]))
    return _modified("CANCELLATION", payment, body, payment["value"], good, "Transaction hasn't been authorised")


def _payment(psp: str) -> Thing:
    payment = book().store.get("payments", psp)
    if payment is None or payment["account"] != asked().get("merchantAccount"):
        raise Refused(422, "167", message="Original pspReference required for this operation")
    return payment


def _value(body: Thing, payment: Thing) -> int:
    amount = body.get("amount", {})
    if amount.get("currency") != payment["currency"] or int(amount.get("value", 0)) <= 0:
        raise Refused(422, "137", message="Invalid amount specified")
    return int(amount["value"])


def _modified(code: str, payment: Thing, body: Thing, value: int, good: bool, why: str) -> Answer:
    book().store.put("payments", payment["psp"], payment)
    psp = new_psp()
    told = {**payment, "value": value, "reference": body.get("reference", "")}
    book().notify(
        code,
        told,
        success=good,
        pspReference=psp,
        originalReference=payment["psp"],
        reason="" if good else why,
        additionalData={"paymentMethodVariant": payment["brand"]},
    )
    answer = {
        "merchantAccount": payment["account"],
        "paymentPspReference": payment["psp"],
        "pspReference": psp,
        "reference": body.get("reference"),
        "status": "received",
    }
    if code != "CANCELLATION":
        answer["amount"] = {"value": value, "currency": payment["currency"]}
    return 201, answer
