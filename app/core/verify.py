"""`verify()`: the sealed chain of events, read from its first position to its last; the first row that is wrong.

It streams, so a million events need no memory. What a person's erasure takes away (the details of an event) may be
missing; what is there must be what was told. A chain whose end was cut off still fits together: only a seal that had
left the database shows it (`against`, see jobs/seal_out.py).
"""

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.db import ALL, reading
from app.core.events import details_digest
from app.core.fast import Statement, read_together
from app.core.seal import START, seal_of

_BATCH = 2_000

GAP = "the row of event_log with this position is missing"
NO_EVENT = "the event was deleted from events"
DETAILS = "event_details holds something else than was told"
ADDED = "event_details holds something, though nothing was told"
WHOSE = "event_log says of another merchant, mode or audience than the event"
SEAL = "the seal in event_log was changed"
EVENT = "the event was changed in events"
EVENT_OR_SEAL = "the event or its seal was changed"
PLACE = "here stood another event; it is at position {other} now"
CUT = "the log ends before this position, whose seal had left the database"
OTHER = "the seal that had left the database is another one"
UNLISTED = "an event that is in no log and does not wait for its place"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row that is wrong. `event_id` None: nobody knows which event it was."""

    position: int
    event_id: UUID | None
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`events` fit together from the first on; `seal` is that of the last of them."""

    events: int
    seal: bytes
    erased: int  # events whose personal details are gone
    broken: Broken | None


def verify(against: Mapping[int, bytes] | None = None, batch: int = _BATCH) -> Verdict:
    """`against`: seals that had left the database, by position."""
    known = against or {}
    position, seal, erased = 0, START, 0
    for rows in _batches(batch):
        for place, row in enumerate(rows):
            wrong = _wrong(row, position, seal, rows[place + 1 :])
            if wrong:
                return Verdict(position, seal, erased, wrong)
            position, seal = position + 1, row["seal"]
            erased += row["details_digest"] is not None and row["salt"] is None
            if known.get(position, seal) != seal:
                return Verdict(position, seal, erased, Broken(position, row["event_id"], OTHER))
    return Verdict(position, seal, erased, _missing(position, known) or _unlisted(position))


# The page of the log comes first, by itself: joined before the LIMIT, each page would read all that follows it.
_PAGE = Statement(
    text(
        """
    WITH page AS MATERIALIZED (
        SELECT position, event_id, seal, merchant_id, live, public FROM event_log
        WHERE position > :after ORDER BY position LIMIT :many)
    SELECT e.id, e.merchant_id, e.live, e.name, e.audience, e.subject_type, e.subject_id, e.step, e.payment_id,
           e.payment_step, e.actor, e.data::text AS data, e.details_digest, e.happened_at,
           d.salt, d.body::text AS body, l.position, l.event_id, l.seal,
           l.merchant_id AS log_merchant_id, l.live AS log_live, l.public AS log_public
    FROM page l LEFT JOIN events e ON e.id = l.event_id LEFT JOIN event_details d ON d.event_id = l.event_id
    ORDER BY l.position
    """
    )
)


def _batches(many: int) -> Iterator[list[dict[str, Any]]]:
    """Each with a transaction of its own, so that none is open for minutes."""
    position = 0
    while True:
        with reading(ALL) as connection:
            [rows] = read_together(connection, {"after": position, "many": many}, _PAGE)
        if not rows:
            return
        for row in rows:  # as text: to read it as JSON here is twice as fast as the driver does it
            row["data"], row["body"] = json.loads(row["data"] or "null"), json.loads(row["body"] or "null")
        yield rows
        position = rows[-1]["position"]


def _wrong(row: Row, position: int, seal: bytes, following: Sequence[Row]) -> Broken | None:
    """What is wrong with the row that should follow `position`, whose seal is `seal`."""
    here = position + 1
    if row["position"] != here:
        return Broken(here, None, GAP)
    if row["id"] is None:
        return Broken(here, row["event_id"], NO_EVENT)
    if row["salt"] is not None:
        if row["details_digest"] is None:
            return Broken(here, row["event_id"], ADDED)
        if details_digest(row["salt"], row["body"]) != row["details_digest"]:
            return Broken(here, row["event_id"], DETAILS)
    if (row["log_merchant_id"], row["log_live"]) != (row["merchant_id"], row["live"]) or row["log_public"] != (
        row["audience"] == "public"
    ):
        return Broken(here, row["event_id"], WHOSE)
    if hmac.compare_digest(seal_of(seal, row), row["seal"]):
        return None
    return Broken(here, row["event_id"], _why(row, seal, following))


def _why(row: Row, seal: bytes, following: Sequence[Row]) -> str:
    """The seal does not fit: is it the seal, the event, or the order? What follows tells."""
    for other in following:
        if other["id"] is not None and hmac.compare_digest(seal_of(seal, other), row["seal"]):
            return PLACE.format(other=other["position"])
    after = next(iter(following), None)
    if after is None or after["id"] is None or after["position"] != row["position"] + 1:
        return EVENT_OR_SEAL
    if hmac.compare_digest(seal_of(row["seal"], after), after["seal"]):
        return EVENT  # the chain goes on from the seal as it stands here
    return SEAL if hmac.compare_digest(seal_of(seal_of(seal, row), after), after["seal"]) else EVENT_OR_SEAL


def _missing(position: int, known: Mapping[int, bytes]) -> Broken | None:
    beyond = min((one for one in known if one > position), default=None)
    return Broken(beyond, None, CUT) if beyond is not None else None


# An event that was committed is in the log or in the queue: a trigger puts it into the queue.
_UNLISTED = text(
    "SELECT e.id FROM events e WHERE NOT EXISTS (SELECT 1 FROM event_log l WHERE l.event_id = e.id)"
    " AND NOT EXISTS (SELECT 1 FROM event_queue q WHERE q.event_id = e.id) LIMIT 1"
)


def _unlisted(position: int) -> Broken | None:
    with reading(ALL) as connection:
        connection.execute(text("SET LOCAL statement_timeout = '10min'"))
        event_id = connection.execute(_UNLISTED).scalar()
    return Broken(position + 1, event_id, UNLISTED) if event_id else None
