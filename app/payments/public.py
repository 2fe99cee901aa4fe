"""The picture of a payment, an operation, a dispute with its evidence and a checkout that API and webhooks share."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.core.ids import public_id
from app.payments import checkout as checkouts
from app.payments.queries import left_to_capture, left_to_refund
from app.payments.refund import whole

Row = Mapping[str, Any]


def payment_picture(payment: Row, operation: Row | None = None) -> dict[str, Any]:
    """`operation`: the latest authorise operation; it gives `next_action` and `failure`."""
    return {
        "id": public_id("pay", payment["id"]),
        "object": "payment",
        "live": payment["live"],
        "status": payment["status"],
        "amount": payment["amount"],
        "currency": payment["currency"],
        "amount_authorised": payment["authorised"],
        "amount_captured": payment["captured"],
        "amount_cancelled": payment["cancelled"],
        "amount_refunded": payment["refunded"],
        "amount_charged_back": payment["charged_back"],
        "amount_capturable": left_to_capture(payment),
        "amount_refundable": left_to_refund(payment),
        "amount_pending": payment["capture_pending"] + payment["cancel_pending"] + payment["refund_pending"],
        "merchant_reference": payment["merchant_reference"],
        "description": payment["description"],
        "order_number": payment["order_number"],
        "customer_number": payment["customer_number"],
        "customer": public_id("cus", payment["customer_id"]) if payment["customer_id"] else None,
        "shop": public_id("shp", payment["shop_id"]) if payment["shop_id"] else None,
        "lines": payment["order_lines"],
        "payer": {
            "name": payment["payer_name"],
            "email": payment["payer_email"],
            "country": payment["payer_country"],
            "language": payment["language"],
        },
        "capture": payment["capture_mode"],
        "capture_on": payment["capture_on"].isoformat() if payment["capture_on"] else None,
        "method": payment["method"],
        "card": {"brand": payment["brand"], "last4": payment["last4"]} if payment["last4"] else None,
        "instrument": public_id("ins", payment["instrument_id"]) if payment["instrument_id"] else None,
        "next_action": _next_action(payment, operation),
        "failure": _failure(payment, operation),
        "created_at": moment(payment["created_at"]),
        "updated_at": moment(payment["updated_at"]),
    }


def _next_action(payment: Row, operation: Row | None) -> dict[str, Any] | None:
    if payment["status"] != "requires_action" or operation is None or operation["state"] != "action":
        return None
    action = operation["action"] or {}
    return {
        "type": action.get("kind"),
        "url": action.get("url"),
        "method": action.get("method"),
        "fields": action.get("fields") or {},
    }


def _failure(payment: Row, operation: Row | None) -> dict[str, Any] | None:
    if payment["status"] != "failed" or operation is None:
        return None
    return {"code": operation["code"], "provider_code": operation["provider_code"]}


def operation_picture(operation: Row) -> dict[str, Any]:
    """A capture, refund, cancellation or authorisation."""
    return {
        "id": public_id("op", operation["id"]),
        "object": operation["kind"],
        "payment": public_id("pay", operation["payment_id"]),
        "status": operation["state"],
        "amount": operation["amount"] if operation["booked_amount"] is None else operation["booked_amount"],
        "currency": operation["currency"],
        "final": operation["final"] if operation["kind"] in ("capture", "refund") else None,
        "reason": operation["reason"] or None,
        "lines": operation["lines"],
        "failure": {"code": operation["code"], "provider_code": operation["provider_code"]}
        if operation["state"] in ("declined", "failed")
        else None,
        "created_at": moment(operation["created_at"]),
        "updated_at": moment(operation["updated_at"]),
    }


def refund_picture(parts: Sequence[Row]) -> dict[str, Any]:
    """One refund, however many calls it needed: amounts added up, the least finished part's state.

    `amount_refunded`: what has really gone back, also when another part was refused or has no answer.
    """
    picture = operation_picture({**whole(parts), "booked_amount": None})
    picture["amount"] = sum(operation_picture(part)["amount"] for part in parts)
    picture["amount_refunded"] = sum(part["booked_amount"] or 0 for part in parts if part["state"] == "succeeded")
    picture["parts"] = len(parts)
    return picture


def dispute_picture(dispute: Row) -> dict[str, Any]:
    return {
        "id": public_id("dsp", dispute["id"]),
        "object": "dispute",
        "payment": public_id("pay", dispute["payment_id"]),
        "status": dispute["state"],
        "amount": dispute["amount"],
        "fee": dispute["fee"],
        "fee_currency": dispute["fee_currency"] or dispute["currency"],
        "currency": dispute["currency"],
        "reason": dispute["reason"],
        "respond_by": moment(dispute["respond_by"]),
        "opened_at": moment(dispute["opened_at"]),
        "updated_at": moment(dispute["updated_at"]),
    }


def evidence_picture(document: Row) -> dict[str, Any]:
    """A file on a dispute (payments/evidence.py). What was erased has neither name nor note."""
    return {
        "id": public_id("doc", document["id"]),
        "object": "evidence",
        "dispute": public_id("dsp", document["subject_id"]),
        "kind": document["kind"],
        "filename": document["filename"] or None,
        "media_type": document["media_type"],
        "size_bytes": document["size_bytes"],
        "sha256": document["sha256"].hex(),
        "note": document["note"] or None,
        "created_at": moment(document["created_at"]),
        "removed_at": moment(document["erased_at"]),
    }


def checkout_picture(checkout: Row, payment: Row) -> dict[str, Any]:
    """`url` is for a redirect, `embed_url` for the iframe."""
    link = checkouts.url(checkout["id"])
    return {
        "id": public_id("chk", checkout["id"]),
        "object": "checkout",
        "live": checkout["live"],
        "status": checkout["state"],
        "url": link,
        "embed_url": f"{link}?embed=1",
        "payment": public_id("pay", checkout["payment_id"]),
        "receivable": public_id("rcv", payment["receivable_id"]) if payment["receivable_id"] else None,
        "amount": payment["amount"],
        "currency": payment["currency"],
        "merchant_reference": payment["merchant_reference"],
        "shop": public_id("shp", checkout["shop_id"]),
        "language": checkout["language"],
        "return_url": checkout["return_url"],
        "expires_at": moment(checkout["expires_at"]),
        "created_at": moment(checkout["created_at"]),
    }


def moment(value: datetime | None) -> str | None:
    """RFC 3339, UTC."""
    return value.isoformat().replace("+00:00", "Z") if value else None
