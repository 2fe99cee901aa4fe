"""`told()`: what a member of staff did that belongs to no merchant, written by itself."""

from typing import Any

from admin.here import staff
from app.core.db import ALL, atomic
from app.core.events import tell


def told(name: str, /, **data: Any) -> None:
    """The subject is whoever did it."""
    me = staff()
    with atomic(ALL):
        tell(
            name,
            subject=("staff", me.id),
            merchant_id=None,
            live=None,
            audience="staff",
            data=data,
            actor=me.actor,
        )
