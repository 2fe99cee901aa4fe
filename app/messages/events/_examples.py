"""Example data for the documentation of events; the shapes are those that app/payments tells."""

from typing import Any

_PAYMENT = "pay_01jd3q5w8hf2vbm0t4n6x7y9zk"


def payment(status: str, **sums: int) -> dict[str, Any]:
    """The payment as it stands after the event. Amounts are minor units."""
    none = dict.fromkeys(("authorised", "captured", "cancelled", "refunded", "charged_back"), 0)
    return {
        "id": _PAYMENT,
        "merchant_reference": "order-1001",
        "status": status,
        "amount": 4990,
        "currency": "EUR",
        **none,
        **sums,
    }


def operation(
    kind: str, state: str, status: str, *, amount: int = 4990, code: str | None = None, **sums: int
) -> dict[str, Any]:
    """What became of an authorisation, capture, cancellation, refund or chargeback."""
    return {
        "operation": "op_01jd3q5wb1c8r6s2p9k4m3x7yt",
        "kind": kind,
        "state": state,
        "amount": amount,
        "currency": "EUR",
        "code": code,
        "reason": "Returned goods" if kind == "refund" else None,
        "provider": "stripe",
        "payment": payment(status, **sums),
    }


def dispute(state: str) -> dict[str, Any]:
    return {
        "dispute": "dsp_01jd7xk2m4n6p8r0t2v4x6z8ab",
        "payment": {"id": _PAYMENT},
        "state": state,
        "amount": 4990,
        "currency": "EUR",
        "reason": "fraudulent",
        "respond_by": "2026-12-05T23:59:59+00:00",
    }


def checkout(**more: Any) -> dict[str, Any]:
    return {"checkout": "chk_01jd3q5v0000000000000000ex", **more}


def endpoint(**more: Any) -> dict[str, Any]:
    return {"endpoint": "whe_01jd0000000000000000000000", "url": "https://shop.example/hooks/payments", **more}
