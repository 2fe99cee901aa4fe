"""`move_clock()`: the business time of a sandbox merchant goes on by some days: due dates, expiry, and its sandbox
acquirers with it. It never goes back, and where money is real it stands still; the database sees to both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from app.connectors import CONNECTORS
from app.connectors.kinds import Clocked
from app.core import http
from app.core.db import Scope, atomic, of, reading
from app.core.errors import Conflict, NotFound, Refusal
from app.core.events import tell
from app.core.ids import public_id
from app.core.texts import N_
from app.merchants import contracts
from app.merchants.add import CONTRACTS, MERCHANTS

MOST_DAYS = 366
FURTHEST = timedelta(days=20 * 366)
PATIENCE_SECONDS = 3.0  # for each acquirer


class NoSandbox(Conflict):
    code = "no_sandbox"
    message = N_("Only the clock of a merchant that is for trying out can be moved.")


class OutOfReach(Refusal):
    code = "clock_out_of_reach"
    message = N_("The clock can be moved forward by 1 to %(most)s days at a time, and by 20 years in all.")


@dataclass(frozen=True, slots=True)
class Moved:
    """`offset_seconds`: how far ahead it is now. `left_behind`: ids of contracts whose acquirer did not follow."""

    offset_seconds: int
    left_behind: Sequence[str]


def move_clock(merchant_id: UUID, *, days: int, actor: str) -> Moved:
    """Raises NotFound, NoSandbox, OutOfReach. Acquirers that could not be reached follow with the next move."""
    with atomic(Scope(frozenset({merchant_id}), None)) as connection:
        columns = (MERCHANTS.c.sandbox, MERCHANTS.c.clock_offset_seconds)
        row = connection.execute(select(*columns).where(MERCHANTS.c.id == merchant_id).with_for_update()).first()
        if row is None:
            raise NotFound()
        if not row.sandbox:
            raise NoSandbox()
        offset = timedelta(seconds=row.clock_offset_seconds) + timedelta(days=days)
        if not 1 <= days <= MOST_DAYS or offset > FURTHEST:
            raise OutOfReach(param="days", most=MOST_DAYS)
        seconds = int(offset.total_seconds())
        connection.execute(update(MERCHANTS).where(MERCHANTS.c.id == merchant_id).values(clock_offset_seconds=seconds))
        tell(
            "merchant.clock_moved",
            subject=("merchant", merchant_id),
            merchant_id=merchant_id,
            live=None,
            audience="staff",
            data={"days": days, "before_seconds": row.clock_offset_seconds, "after_seconds": seconds},
            actor=actor,
        )
    return Moved(seconds, _take_along(merchant_id, seconds))


def _take_along(merchant_id: UUID, offset_seconds: int) -> list[str]:
    """Moves the clocks of the sandbox acquirers. Returns the contracts whose acquirer has one and did not follow."""
    with reading(of(merchant_id, False)) as connection:
        query = select(CONTRACTS).where(CONTRACTS.c.merchant_id == merchant_id, CONTRACTS.c.active)
        rows = connection.execute(query.order_by(CONTRACTS.c.id)).mappings().all()
    left = []
    for row in rows:
        connector = CONNECTORS[row["provider"]]
        if isinstance(connector, Clocked):
            with http.at_most(PATIENCE_SECONDS):
                if not connector.move_clock(contracts.opened(dict(row)), offset_seconds):
                    left.append(public_id("ctr", row["id"]))
    return left
