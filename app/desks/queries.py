"""What somebody finds on their desk for a list, in one round trip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from app.core.fast import Statement, read_together


@dataclass(frozen=True, slots=True)
class Desk:
    """`filters`: one's own, then those that colleagues share (with their `owner`). `columns` None: as shipped."""

    filters: Sequence[Mapping[str, Any]]
    columns: tuple[str, ...] | None


_FILTERS = Statement(
    text(
        "SELECT f.id, f.name, f.query, f.shared, f.user_id = :user AS mine,"
        " coalesce(nullif(u.name, ''), u.email) AS owner"
        " FROM saved_filters f JOIN staff_users u ON u.id = f.user_id"
        " WHERE f.screen = :screen AND (f.user_id = :user OR f.shared AND u.active)"
        " ORDER BY f.user_id = :user DESC, lower(f.name), f.id LIMIT 200"
    )
)
_COLUMNS = Statement(text("SELECT columns FROM chosen_columns WHERE user_id = :user AND screen = :screen"))


def desk(connection: Connection, user_id: UUID, screen: str) -> Desk:
    filters, columns = read_together(connection, {"user": user_id, "screen": screen}, _FILTERS, _COLUMNS)
    return Desk(filters, tuple(columns[0]["columns"]) if columns else None)
