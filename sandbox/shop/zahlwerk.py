"""The shop's side of Zahlwerk's API: one call."""

import json
from typing import Any

import urllib3

from sandbox.demo_file import demo_shops, public_url, sandbox_url
from sandbox.shop.goods import SHOPS, Shop
from sandbox.shop.orders import Order

_http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=15), retries=False)


class NoCheckout(Exception):
    """No checkout could be made. `detail` is for the demo's reader, not for a customer."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


def contract_of(shop: Shop) -> dict[str, Any] | None:
    """The shop's line in the demo file: by slug, else by a word of its name, else by position."""
    known = demo_shops()
    word = shop.slug.split("-")[1 if shop.slug.startswith("cafe") else 0]
    for match in (
        lambda line: line.get("slug") == shop.slug,
        lambda line: word in f"{line.get('slug')} {line.get('name')}".casefold(),
    ):
        for line in known:
            if match(line):
                return line
    position = list(SHOPS).index(shop.slug)
    return known[position] if position < len(known) else None


def endpoint_name(shop: Shop) -> str:
    """The name under which the webhook catcher receives what this shop is told."""
    contract = contract_of(shop)
    return str((contract or {}).get("slug") or shop.slug)


def create_checkout(shop: Shop, order: Order, language: str) -> dict[str, Any]:
    """POST /v1/checkouts. Returns {"id", "url", "embed_url", "expires_at"}. Raises NoCheckout."""
    contract = contract_of(shop)
    if not contract or not contract.get("api_key"):
        raise NoCheckout("There is no API key for this shop yet: the demo data is still missing.")
    body = {
        "amount": order.amount,
        "currency": order.currency,
        "merchant_reference": order.number,
        "capture": order.capture,
        "description": f"{shop.name}, {order.number}",
        "customer": {"name": order.name, "email": order.email},
        "lines": [
            {"name": line["name"], "quantity": line["quantity"], "amount": line["amount"]} for line in order.lines
        ],
        "return_url": f"{sandbox_url()}/shop/{shop.slug}/thanks?order={order.number}",
        "language": language,
    }
    if contract.get("shop_id"):
        body["shop"] = contract["shop_id"]
    return _post("/v1/checkouts", body, str(contract["api_key"]), order.number)


def _post(path: str, body: dict[str, Any], key: str, idempotency_key: str) -> dict[str, Any]:
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Idempotency-Key": idempotency_key,
    }
    try:
        response = _http.request("POST", public_url() + path, body=json.dumps(body).encode(), headers=headers)
        answer = json.loads(response.data)
    except urllib3.exceptions.HTTPError as error:
        raise NoCheckout(f"{public_url()} does not answer: {type(error).__name__}") from error
    except ValueError:
        raise NoCheckout(f"{public_url()}{path} did not answer with JSON") from None
    if response.status != 201 or not isinstance(answer, dict) or not {"id", "url", "embed_url"} <= set(answer):
        error = answer.get("error", answer) if isinstance(answer, dict) else answer
        message = error.get("message") if isinstance(error, dict) else None
        raise NoCheckout(f"HTTP {response.status}: {message or str(error)[:200]}")
    return answer
