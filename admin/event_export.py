"""Events as CSV: the list as it is narrowed, the newest first. That it was made is told before it is handed out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from admin import actors, event_details, subjects
from admin.event_search import EVENTS, LOG, Search
from admin.here import connection, here
from app.core.cells import BYTE_ORDER_MARK, Cell, lines
from app.core.errors import Refusal
from app.core.texts import N_

MOST = 100_000
_AT_ONCE = 2_000


class TooMany(Refusal):
    code = "too_many_events"
    message = N_("These are more than %(most)s events.")
    advice = N_("Choose a shorter period.")


def csv_of(search: Search) -> tuple[str, int]:
    """The file and how many events are in it. Raises TooMany."""
    language, count = here().language, 0
    parts = [BYTE_ORDER_MARK, lines([_head()], language)]
    for rows in _pages(search):
        count += len(rows)
        if count > MOST:
            raise TooMany(most=MOST)
        known = actors.names(row["actor"] for row in rows)
        parts.append(lines([_line(row, known) for row in rows], language))
    return "".join(parts), count


def _pages(search: Search) -> Iterator[Sequence[Mapping[str, Any]]]:
    query = (
        event_details.joined(search.query())
        .add_columns(LOG.c.position, LOG.c.seal, *event_details.needed())
        .join(LOG, LOG.c.event_id == EVENTS.c.id, isouter=True)
        .order_by(EVENTS.c.id.desc())
        .limit(_AT_ONCE)
    )
    last: UUID | None = None
    while True:
        page = query.where(EVENTS.c.id < last) if last else query
        rows: Any = connection().execute(page).mappings().all()
        if not rows:
            return
        yield rows
        last = rows[-1]["id"]


def _head() -> list[Cell]:
    return [
        *(_("Place in the log"), _("When"), _("Event"), _("By"), _("Actor"), _("Merchant"), _("Data"), _("About")),
        *(_("Payment"), _("What it says"), _("Personal data"), _("From where"), _("Seal")),
    ]


def _line(row: Mapping[str, Any], known: Mapping[str, str]) -> list[Cell]:
    about = subjects.subject(row)
    payment = subjects.public_id("pay", row["payment_id"]) if row["payment_id"] else None
    return [
        row["position"],
        row["happened_at"].astimezone(here().zone),
        row["name"],
        known[row["actor"]],
        row["actor"],
        row["merchant_name"],
        "" if row["live"] is None else "live" if row["live"] else "test",
        about[0] if about else None,
        payment,
        json.dumps(row["data"], ensure_ascii=False, sort_keys=True),
        _json(event_details.seen(row)),
        _json(event_details.came_from(row)),
        row["seal"].hex() if row["seal"] else None,
    ]


def _json(value: Mapping[str, Any]) -> str | None:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else None
