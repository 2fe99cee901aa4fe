"""Writes the newest seal of the event log to the process log, which is kept elsewhere: who rewrites the
database together with its seals cannot rewrite that line."""

from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select

from app.core.db import ALL, reading
from app.core.events import EventLog
from app.core.queue import DEFAULT

log = structlog.get_logger()

AT = "00:05"
QUEUE = DEFAULT


def run(limit: int) -> str:
    with reading(ALL) as connection:
        newest = connection.execute(
            select(EventLog.position, EventLog.seal).order_by(EventLog.position.desc()).limit(1)
        ).first()
    if newest is None:
        return "no event yet"
    log.warning("newest_seal", position=newest.position, seal=newest.seal.hex())
    return f"position {newest.position}: {newest.seal.hex()}"


if TYPE_CHECKING:
    from jobs import seal_out as _me
    from jobs.kinds import Daily

    _: Daily = _me
