"""What an event is about: kind of subject -> prefix of its public id, and the page about it."""

from collections.abc import Mapping
from typing import Any

from admin.office import url
from app.core.ids import public_id

SUBJECTS: dict[str, tuple[str, str | None]] = {
    "payment": ("pay", "payments.detail"),
    "customer": ("cus", "customers.detail"),
    "dispute": ("dsp", "disputes.detail"),
    "merchant": ("mer", "merchants.detail"),
    "shop": ("shp", "shops.detail"),
    "contract": ("ctr", "contracts.detail"),
    "endpoint": ("whe", "endpoints.detail"),
    "staff": ("usr", "users.detail"),
    "approval": ("apr", "approvals.detail"),
    "approval_rule": ("rul", None),
    "block_entry": ("blk", None),
    "batch": ("bat", None),
    "export": ("exp", None),
    "operation": ("op", None),
    "checkout": ("chk", None),
    "api_key": ("key", None),
    "instrument": ("ins", None),
    "document": ("doc", None),
}
_KINDS = {prefix: kind for kind, (prefix, _page) in SUBJECTS.items()}


def kind_of(prefix: str) -> str | None:
    """`pay` -> payment."""
    return _KINDS.get(prefix)


def subject(event: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """(public id, address of its page or None)."""
    known = SUBJECTS.get(event["subject_type"])
    if known is None:
        return None
    prefix, screen = known
    found = public_id(prefix, event["subject_id"])
    return found, url(screen, id=found) if screen else None
