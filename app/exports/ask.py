"""`ask()`: somebody wants a file of a list. It is written down here and made in steps (make.py)."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, insert

from app.core.clock import now
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.exports import rights
from app.exports.columns import COLUMNS
from app.exports.models import EXPORTS
from app.payments.search import Filters
from app.staff.access import Staff

Form = Literal["csv", "xlsx"]
_IDS, _MOMENTS = ("merchants", "shops"), ("since", "until")


def ask(
    connection: Connection,
    filters: Filters,
    *,
    form: Form,
    columns: Sequence[str],
    oldest_first: bool,
    staff: Staff,
) -> dict[str, Any]:
    """The row. Personal columns are left out for those who may not see payers of all these merchants.

    Whoever asks goes on with make.at_once(). Raises RightTakenAway.
    """
    merchants = rights.narrowed(staff, filters.merchants)
    personal = rights.covers(staff, rights.PERSONAL, merchants)
    export_id = uuid7()
    row: dict[str, Any] = {
        "id": export_id,
        "asked_by": staff.id,
        "actor": staff.actor,
        "form": form,
        "language": staff.language,
        "timezone": staff.timezone,
        "live": filters.live,
        "merchants": None if merchants is None else sorted(merchants),
        "filters": to_json(dataclasses.replace(filters, upto=filters.upto or export_id)),
        "columns": [name for name in COLUMNS if name in columns and (personal or not COLUMNS[name].personal)],
        "oldest_first": oldest_first,
        "state": "waiting",
        **dict.fromkeys(("rows", "pieces"), 0),
        **dict.fromkeys(("expected", "cursor", "why", "leased_until", "ended_at")),
        "asked_at": now(),
    }
    rights.check(row, staff)
    connection.execute(insert(EXPORTS).values(row))
    tell_of(row, "export.asked", {"filter": row["filters"], "columns": row["columns"]})
    return row


def tell_of(export: Mapping[str, Any], name: str, data: Mapping[str, Any]) -> None:
    """The file of one merchant is that merchant's affair; of several, the house's. Payers' addresses are nobody's."""
    if "email" in data.get("filter", {}):
        data = {**data, "filter": {**data["filter"], "email": "…"}}
    merchants = export["merchants"] or ()
    tell(
        name,
        subject=("export", export["id"]),
        merchant_id=merchants[0] if len(merchants) == 1 else None,
        live=export["live"] if len(merchants) == 1 else None,
        audience="staff",
        data={"export": public_id("exp", export["id"]), "form": export["form"], **data},
        actor=export["actor"],
    )


def to_json(filters: Filters) -> dict[str, Any]:
    """What narrows; the mode stands in the export's own column."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(filters):
        value = getattr(filters, field.name)
        if field.name == "live" or value is None or value == ():
            continue
        if isinstance(value, tuple | list):
            value = [str(one) for one in value]
        elif isinstance(value, datetime):
            value = value.isoformat()
        elif isinstance(value, UUID):
            value = str(value)
        found[field.name] = value
    return found


def of_json(stored: Mapping[str, Any], *, live: bool) -> Filters:
    values: dict[str, Any] = dict(stored)
    values |= {name: tuple(UUID(one) for one in values[name]) for name in _IDS if name in values}
    values |= {name: tuple(values[name]) for name in ("statuses", "methods") if name in values}
    values |= {name: datetime.fromisoformat(values[name]) for name in _MOMENTS if name in values}
    values |= {name: UUID(values[name]) for name in ("customer", "upto") if name in values}
    return Filters(live=live, **values)
