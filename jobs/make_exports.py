"""Makes the files that somebody asked for in the back office, a piece at a time."""

from typing import TYPE_CHECKING

from app.core.queue import DEFAULT
from app.exports.make import make

EVERY = 20
QUEUE = DEFAULT


def run(limit: int) -> int:
    return make(limit)


if TYPE_CHECKING:
    from jobs import make_exports as _me
    from jobs.kinds import Sweep

    _: Sweep = _me
