"""The shape of a job on the shelf."""

from typing import Protocol


class Job(Protocol):
    """`run(limit)` does at most about `limit` things and returns how many it did; as many as `limit` means that
    there may be more, and it is called again. A text means that one call is enough, and what came of it.

    It must be harmless when it runs twice, at the same time too: claims in the database see to that.
    """

    @property
    def QUEUE(self) -> str: ...
    def run(self, limit: int) -> int | str: ...


class Sweep(Job, Protocol):
    """Runs every so many seconds, and in between when it is woken (app/core/queue.py)."""

    @property
    def EVERY(self) -> int: ...


class Daily(Job, Protocol):
    """Runs once a day at a time of day in Europe/Berlin, "HH:MM"; a missed day is made up once."""

    @property
    def AT(self) -> str: ...
