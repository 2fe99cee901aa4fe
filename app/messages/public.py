"""The pictures of events, endpoints and deliveries that API and webhooks share."""

from collections.abc import Mapping
from typing import Any

from app.core.ids import public_id
from app.payments.public import moment

Row = Mapping[str, Any]


def event_picture(event: Row) -> dict[str, Any]:
    """A row of `events`; also the body of its webhook."""
    return {
        "id": public_id("evt", event["id"]),
        "type": event["name"],
        "timestamp": moment(event["happened_at"]),
        "live": event["live"],
        "step": event["step"],
        "payment_step": event["payment_step"],
        "data": event["data"],
    }


def endpoint_picture(endpoint: Row, secret: str | None = None) -> dict[str, Any]:
    """`secret` is shown once: when the endpoint is made or its secret rotated."""
    picture = {
        "id": public_id("whe", endpoint["id"]),
        "object": "webhook_endpoint",
        "live": endpoint["live"],
        "url": endpoint["url"],
        "description": endpoint["description"],
        "events": list(endpoint["events"]),
        "active": endpoint["active"],
        "disabled_reason": endpoint["disabled_reason"],
        "failing_since": moment(endpoint["failing_since"]),
        "last_success_at": moment(endpoint["last_success_at"]),
        "old_secret_valid_until": moment(endpoint["old_secret_until"]),
        "created_at": moment(endpoint["created_at"]),
    }
    return {**picture, "secret": secret} if secret else picture


def delivery_picture(delivery: Row) -> dict[str, Any]:
    """A row of `queries.deliveries()`: a delivery with its event's name (`event_name`)."""
    waiting = delivery["state"] == "pending"
    return {
        "id": public_id("dlv", delivery["id"]),
        "object": "delivery",
        "endpoint": public_id("whe", delivery["endpoint_id"]),
        "event": public_id("evt", delivery["event_id"]),
        "type": delivery["event_name"],
        "payment": public_id("pay", delivery["payment_id"]) if delivery["payment_id"] else None,
        "replay": delivery["replay"],
        "status": delivery["state"],
        "attempts": delivery["attempts"],
        "next_attempt_at": moment(delivery["due_at"]) if waiting else None,
        "last_status": delivery["last_status"],
        "last_error": delivery["last_error"],
        "last_duration_ms": delivery["last_duration_ms"],
        "created_at": moment(delivery["created_at"]),
        "delivered_at": moment(delivery["delivered_at"]),
    }
