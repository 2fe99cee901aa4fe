"""Requests for approval in words."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from admin import formats, four_eyes
from admin.words import Word
from app.approvals.actions import ACTIONS
from app.core.texts import N_

STATES: dict[str, Word] = {
    "pending": Word(N_("To decide"), "wait", "clock"),
    "approved": Word(N_("Approved, under way"), "wait", "half"),
    "executed": Word(N_("Approved and done"), "good", "check"),
    "failed": Word(N_("Approved, but refused"), "bad", "cross-full"),
    "rejected": Word(N_("Rejected"), "bad", "cross"),
    "withdrawn": Word(N_("Taken back"), "quiet", "back"),
    "expired": Word(N_("Not decided in time"), "quiet", "hourglass"),
    "stale": Word(N_("Out of date"), "quiet", "half"),
}


def state(word: str) -> Any:
    return formats.badge(STATES[word])


def title(asked: Mapping[str, Any]) -> str:
    """`Refund €120.00`, `API key`."""
    label = name(asked)
    if asked["amount"] is None:
        return label
    return f"{label} {formats.money(asked['amount'], asked['currency'])}"


def name(asked: Mapping[str, Any]) -> str:
    label = ACTIONS[asked["action"]].LABEL
    return _(label)


def why(asked: Mapping[str, Any]) -> str:
    return four_eyes.because(asked["why"])


def details(asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What exactly is asked for: name and value, as the action's parameters have it."""
    found = [(_(LABELS.get(name, name)), shown(value)) for name, value in asked["params"].items() if name not in HIDDEN]
    if asked["params"].get("rest"):
        found.append((_("Given back to the payer"), formats.money(asked["params"]["rest"], asked["currency"])))
    return found


HIDDEN = frozenset({"merchant_reference", "payment_id", "user_id", "amount", "currency", "rest", "order"})
LABELS = {
    "name": N_("Name"),
    "permissions": N_("What it may do"),
    "limits": N_("Limits"),
    "url": N_("Address"),
    "events": N_("Events"),
    "before": N_("Until now"),
    "after": N_("From then on"),
    "email": N_("E-mail"),
    "entry": N_("Entry"),
    "label": N_("Name"),
    "description": N_("Description"),
    "role": N_("Role"),
    "language": N_("Language"),
    "provider": N_("Provider"),
    "methods": N_("Methods"),
    "currencies": N_("Currencies"),
    "priority": N_("Priority"),
    "authorisation_days": N_("An authorisation lives for (days)"),
    "honour_days": N_("A capture is guaranteed for (days)"),
    "settings": N_("Settings"),
    "overlap_hours": N_("The old key lives on for (hours)"),
    "rule": N_("Rule"),
    "above": N_("Above this amount"),
    "method": N_("Method"),
    "user": N_("User"),
    "key": N_("API key"),
    "outcome": N_("Outcome"),
    "operation": N_("Operation"),
    "reason": N_("Reason"),
}


def shown(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(shown(one) for one in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {shown(one)}" for name, one in value.items() if one) or "–"
    return "–" if value is None else str(value)


def done(after: str) -> tuple[str, str]:
    """What the checker reads after the yes: text and tone."""
    if after == "executed":
        return _("Approved and done."), "good"
    if after == "failed":
        return _("Approved, but the provider refused. Nothing was moved."), "bad"
    return _("Approved. It is being done."), "wait"
