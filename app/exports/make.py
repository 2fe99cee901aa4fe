"""`make()`: exports step by step: count, write piece after piece, put the file together.

Each step is one transaction under a lease; who dies leaves the steps before, and the next goes on behind them.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, select, true, update

from app.core import queue
from app.core.cells import BYTE_ORDER_MARK, Cell, lines
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.errors import Refusal
from app.core.ids import public_id
from app.core.texts import N_
from app.exports import pieces, rights, rows, workbook
from app.exports.ask import tell_of
from app.exports.models import EXPORTS
from app.staff.snapshot import snapshot

log = structlog.get_logger()

JOB = "make_exports"
LEASE = timedelta(seconds=60)
PUT_TOGETHER = timedelta(seconds=300)  # a spreadsheet of the largest size takes half a minute
ROWS_AT_ONCE = 5_000
MOST = {"csv": 2_000_000, "xlsx": 250_000}

Row = Mapping[str, Any]


class TooManyRows(Refusal):
    code = "too_many_rows"
    message = N_("These are more than %(most)s payments.")
    advice = N_("Choose a shorter period, or CSV instead of a spreadsheet.")


class LeaseLost(Exception):
    """Somebody else goes on with it: this process was away for too long."""


def make(limit: int) -> int:
    """Makes one step of the export that is least far. Returns `limit` while there may be more to do."""
    export = take()
    if export is None:
        return 0
    try:
        step(export)
    except LeaseLost:
        log.warning("export_lease_lost", export=public_id("exp", export["id"]))
    return limit


def at_once(export_id: UUID, most: int) -> dict[str, Any]:
    """Makes one that has at most `most` rows while somebody waits for it; a larger one is left to the job.

    Returns the row as it is then.
    """
    while (export := take(export_id)) is not None:
        step(export)
        if (export["expected"] or 0) > most:
            queue.wake(JOB)
            break
    with reading(ALL) as connection:
        return dict(connection.execute(select(EXPORTS).where(EXPORTS.c.id == export_id)).mappings().one())


def take(only: UUID | None = None) -> dict[str, Any] | None:
    """Leases the waiting export with the fewest pieces, so that small ones do not wait for large ones."""
    free = EXPORTS.c.leased_until.is_(None) | (EXPORTS.c.leased_until < now())
    first = (
        select(EXPORTS.c.id)
        .where(EXPORTS.c.state == "waiting", free, true() if only is None else EXPORTS.c.id == only)
        .order_by(EXPORTS.c.pieces, EXPORTS.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    with atomic(ALL) as connection:
        taken = connection.execute(
            update(EXPORTS).where(EXPORTS.c.id == first).values(leased_until=now() + LEASE).returning(EXPORTS)
        )
        row = taken.mappings().first()
    return dict(row) if row else None


def step(export: Row) -> None:
    """The next step of an export that is leased by whoever calls; the lease ends with it."""
    try:
        with reading(ALL) as connection:
            rights.check(export, snapshot(connection, export["asked_by"]))
        if export["expected"] is None:
            _count(export)
        elif export["rows"] < export["expected"] or export["cursor"] is None:
            _write(export)
        else:
            _finish(export)
    except Refusal as refusal:
        refuse(export, refusal)


def _count(export: Row) -> None:
    most = MOST[export["form"]]
    with reading(rights.scope_of(export)) as connection:
        found = rows.count(connection, export, most + 1)
    if found > most:
        raise TooManyRows(most=most)
    with atomic(ALL) as connection:
        _hold(connection, export, expected=found, leased_until=None)


def _write(export: Row) -> None:
    """One piece: the rows behind the cursor. A spreadsheet is put together at the end, CSV is ready as it is."""
    with reading(rights.scope_of(export)) as connection:
        read, cursor, more = rows.read(connection, export, ROWS_AT_ONCE)
    number = export["pieces"] + 1
    if export["form"] == "csv":
        head = BYTE_ORDER_MARK + lines([rows.header(export)], export["language"]) if number == 1 else ""
        kind, content = "file", (head + lines(read, export["language"])).encode()
    else:
        kind, content = "rows", pieces.packed_rows(read)
    done = export["rows"] + len(read)
    with atomic(ALL) as connection:
        _hold(
            connection,
            export,
            pieces=number,
            rows=done,
            cursor=cursor or export["id"],  # an empty list has been read, too
            expected=max(done + 1, export["expected"]) if more else done,
            leased_until=None,
        )
        pieces.keep(connection, export["id"], kind, number, content)


def _finish(export: Row) -> None:
    file: list[bytes] = []
    if export["form"] == "xlsx":
        export = _longer(export)
        file = _workbook(export)
    with atomic(ALL) as connection:
        _hold(connection, export, state="ready", ended_at=now(), leased_until=None)
        for number, piece in enumerate(file, start=1):
            pieces.keep(connection, export["id"], "file", number, piece)
        pieces.drop(connection, export["id"], "rows")
        tell_of(export, "export.made", {"filter": export["filters"], "rows": export["rows"]})


def _longer(export: Row) -> Row:
    until = now() + PUT_TOGETHER
    with atomic(ALL) as connection:
        _hold(connection, export, leased_until=until)
    return {**export, "leased_until": until}


def _workbook(export: Row) -> list[bytes]:
    title = rows.words_of(export).said(N_("Payments"))
    return list(workbook.written(title, rows.header(export), _rows_of(export["id"])))


def _rows_of(export_id: UUID) -> Iterator[list[Cell]]:
    for content in pieces.contents(export_id, "rows"):
        yield from pieces.unpacked_rows(content)


def refuse(export: Row, refusal: Refusal) -> None:
    """It is not made; whoever asked reads why."""
    why = {"code": refusal.code, "message": refusal.message, "advice": refusal.advice, "values": refusal.values}
    with atomic(ALL) as connection:
        _hold(connection, export, state="refused", why=why, ended_at=now(), leased_until=None)
        pieces.drop(connection, export["id"])
        tell_of(export, "export.refused", {"code": refusal.code})


def _hold(connection: Connection, export: Row, **values: Any) -> None:
    """Changes the row, if it is still ours. Raises LeaseLost."""
    mine: datetime = export["leased_until"]
    changed = connection.execute(
        update(EXPORTS)
        .where(EXPORTS.c.id == export["id"], EXPORTS.c.state == "waiting", EXPORTS.c.leased_until == mine)
        .values(**values)
    )
    if changed.rowcount != 1:
        raise LeaseLost()
