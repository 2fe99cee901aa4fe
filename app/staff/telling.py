"""`tell_of()`: events about a member of the staff."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.events import tell
from app.core.ids import public_id


def tell_of(
    name: str,
    user_id: UUID,
    *,
    actor: str | None = None,
    data: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> UUID:
    """`actor` None: the user themselves."""
    user = public_id("usr", user_id)
    return tell(
        name,
        subject=("staff", user_id),
        merchant_id=None,
        live=None,
        audience="staff",
        data={"user": user, **(data or {})},
        details=details,
        actor=actor or f"staff:{user}",
    )
