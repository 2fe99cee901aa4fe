"""Looks every night whether the checkout is served with the scripts of the inventory and no others (PCI DSS 11.6.1)."""

from typing import TYPE_CHECKING

import structlog

from app.core.http import NoAnswer, NotSent
from app.core.queue import DEFAULT
from app.core.runs import ALARMS
from app.payments.verify_page import verify_page

log = structlog.get_logger()

AT = "04:20"
QUEUE = DEFAULT


def run(limit: int) -> str:
    try:
        found = verify_page("job:verify_scripts")
    except (NotSent, NoAnswer) as error:
        log.error("checkout_not_reachable", error=str(error))
        return "the checkout could not be looked at"
    return f"{ALARMS['verify_scripts']}{'; '.join(found)}" if found else "as the inventory says"


if TYPE_CHECKING:
    from jobs import verify_scripts as _me
    from jobs.kinds import Daily

    _: Daily = _me
