"""The newest seal of the event log leaves the database every day: as a line in the process log, which is kept
elsewhere, and as a mail to the auditor. Who rewrites the database together with its seals cannot rewrite those.

`flask audit verify --against` compares.
"""

from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select

from app.config import settings
from app.core.db import ALL, reading
from app.core.events import EventLog
from app.core.queue import DEFAULT
from app.messages import seal_mail

log = structlog.get_logger()

AT = "00:05"
QUEUE = DEFAULT


def run(limit: int) -> str:
    """A mail that cannot be sent fails the job, which is tried again; the line is in the log by then."""
    with reading(ALL) as connection:
        newest = connection.execute(
            select(EventLog.position, EventLog.seal).order_by(EventLog.position.desc()).limit(1)
        ).first()
    if newest is None:
        return "no event yet"
    seal = newest.seal.hex()
    log.warning("newest_seal", position=newest.position, seal=seal)
    auditor = settings().auditor_email
    if auditor:
        seal_mail.send(auditor, newest.position, seal)
    return f"{newest.position}:{seal}{' sent to the auditor' if auditor else ''}"


if TYPE_CHECKING:
    from jobs import seal_out as _me
    from jobs.kinds import Daily

    _: Daily = _me
