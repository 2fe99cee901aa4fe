"""Runs every proof of the books and of the figures. One that does not hold is told to staff and logged as an error."""

from typing import TYPE_CHECKING

import structlog

from app.core.db import ALL, atomic, reading
from app.core.events import tell
from app.core.ids import uuid7
from app.core.queue import DEFAULT
from app.core.runs import ALARMS
from app.figures.proofs import PROOFS
from app.ledger.proof import prove

log = structlog.get_logger()

AT = "03:10"
QUEUE = DEFAULT
_LONGEST_STATEMENT = "4min"


def run(limit: int) -> str:
    with reading(ALL) as connection:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{_LONGEST_STATEMENT}'")
        broken = prove(connection, PROOFS)
    if not broken:
        return f"{len(PROOFS)} proofs hold"
    log.error("books_unproved", proofs=sorted(broken))
    with atomic(ALL):
        tell(
            "books.unproved",
            subject=("books", uuid7()),
            merchant_id=None,
            live=None,
            audience="staff",
            data={"proofs": {name: [str(dict(row)) for row in rows] for name, rows in broken.items()}},
            actor="job:prove_books",
        )
    return f"{ALARMS['prove_books']}{', '.join(sorted(broken))}"


if TYPE_CHECKING:
    from jobs import prove_books as _me
    from jobs.kinds import Daily

    _: Daily = _me
