"""Who may have an export: whoever asked for it, as long as they may export the payments of all its merchants."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.core.db import Scope
from app.core.errors import Refusal
from app.core.texts import N_
from app.exports.columns import COLUMNS
from app.staff.access import Staff

EXPORT, PERSONAL = "export.payments", "customer.read_personal"


class RightTakenAway(Refusal):
    kind = "permission"
    status = 403
    code = "export_right_taken_away"
    message = N_("You may not export these payments any more.")
    advice = N_("Ask an administrator for the right, then ask for the file again.")


def scope_of(export: Mapping[str, Any]) -> Scope:
    """Row-level security lets only these payments through."""
    merchants = export["merchants"]
    return Scope(None if merchants is None else frozenset(merchants), export["live"])


def check(export: Mapping[str, Any], staff: Staff | None) -> None:
    """Raises RightTakenAway."""
    wanted = scope_of(export).merchants
    needed = [EXPORT, PERSONAL] if any(COLUMNS[name].personal for name in export["columns"]) else [EXPORT]
    if staff is None or not all(covers(staff, permission, wanted) for permission in needed):
        raise RightTakenAway()


def covers(staff: Staff, permission: str, merchants: frozenset[UUID] | None) -> bool:
    """Whether they may do this for all of these merchants (None: for all there are)."""
    held = staff.scope(permission).merchants
    if not staff.may(permission):
        return False
    return held is None or (merchants is not None and merchants <= held)


def narrowed(staff: Staff, wanted: Sequence[UUID]) -> frozenset[UUID] | None:
    """The merchants of a new export: those of its filter, or else all that they may export."""
    held = staff.scope(EXPORT).merchants
    if not wanted:
        return held
    return frozenset(wanted) if held is None else frozenset(wanted) & held
