"""Runs of periodic jobs: one row per job and slot, taken as a lease, so that each slot runs once."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import now
from app.core.db import Model

# Jobs that look whether all is right: how their results begin when it is not. Staff see it until a run finds nothing.
ALARMS = {"prove_books": "broken: ", "verify_scripts": "different: "}


class JobRun(Model):
    """`slot` is the scheduled time, `next_slot` the one after it; `finished_at` NULL with an old lease means that a
    worker died."""

    __tablename__ = "job_runs"
    name: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[datetime] = mapped_column(primary_key=True)
    leased_until: Mapped[datetime]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    result: Mapped[str | None]
    next_slot: Mapped[datetime | None]


def take(connection: Connection, name: str, slot: datetime, seconds: int, *, next_slot: datetime | None) -> bool:
    """Takes the slot for `seconds`. False: it was done, or somebody else is at it."""
    until = now() + timedelta(seconds=seconds)
    taken = connection.execute(
        insert(JobRun)
        .values(name=name, slot=slot, leased_until=until, started_at=now(), next_slot=next_slot)
        .on_conflict_do_update(
            index_elements=["name", "slot"],
            set_={"leased_until": until, "started_at": now()},
            where=(JobRun.finished_at.is_(None)) & (JobRun.leased_until < now()),
        )
        .returning(JobRun.name)
    ).first()
    return bool(taken)


def finish(connection: Connection, name: str, slot: datetime, result: str) -> None:
    connection.execute(
        update(JobRun)
        .where(JobRun.name == name, JobRun.slot == slot, JobRun.finished_at.is_(None))
        .values(finished_at=now(), result=result[:500])
    )
