"""`choose()`: which columns somebody sees in a list."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from app.core.events import tell
from app.desks.models import COLUMNS


def choose(connection: Connection, *, user_id: UUID, screen: str, columns: Sequence[str], actor: str) -> None:
    names = [*dict.fromkeys(columns)]
    statement = insert(COLUMNS).values(user_id=user_id, screen=screen, columns=names)
    connection.execute(statement.on_conflict_do_update(index_elements=["user_id", "screen"], set_={"columns": names}))
    tell(
        "columns.chosen",
        subject=("staff", user_id),
        merchant_id=None,
        live=None,
        audience="staff",
        data={"screen": screen, "columns": names},
        actor=actor,
    )
