"""`download()`: the file of an export, for who asked for it and still may have it. Each time is told."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.core.errors import NotFound
from app.exports import rights
from app.exports.ask import tell_of
from app.exports.models import EXPORTS
from app.staff.access import Staff


def download(connection: Connection, export_id: UUID, staff: Staff) -> Mapping[str, Any]:
    """The row; its content is in pieces.contents(). Raises NotFound (not theirs, not ready), RightTakenAway."""
    query = select(EXPORTS).where(EXPORTS.c.id == export_id, EXPORTS.c.asked_by == staff.id)
    export = connection.execute(query.where(EXPORTS.c.state == "ready")).mappings().first()
    if export is None:
        raise NotFound()
    row = {**export}
    rights.check(row, staff)
    tell_of(row, "export.downloaded", {"rows": row["rows"]})
    return row
