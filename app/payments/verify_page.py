"""`verify_page()`: looks at the checkout as a payer's browser gets it, and tells staff if its scripts are not ours.

It asks the public address, so that what a proxy or a network of caches has changed on the way is found too.
"""

from urllib.parse import urljoin

import structlog
from sqlalchemy import select

from app.config import settings
from app.core import scripts
from app.core.clock import now
from app.core.db import ALL, atomic, reading, table_of
from app.core.events import tell
from app.core.http import Response, send
from app.core.ids import uuid7
from app.payments.checkout import token
from app.payments.models import Checkout
from app.payments.queries import PAYMENTS

log = structlog.get_logger()

CHECKOUTS = table_of(Checkout)
_REDIRECTS = 3


def verify_page(actor: str) -> list[str]:
    """What differs from the inventory; [] if nothing does. Tells `scripts.changed` if something does.

    Raises NotSent, NoAnswer: the page could not be looked at, which is no finding.
    """
    page = _get(_path_of_a_page())
    found = scripts.differences(page.body.decode(errors="replace"), page.headers, lambda path: _get(path).body)
    for script in scripts.inventory():
        if scripts.digest(_get(script.address).body) != script.integrity:
            found.append(f"its content is another: {script.address}")
    if found:
        log.error("scripts_changed", found=found)
        _tell(found, actor)
    return found


def _path_of_a_page() -> str:
    """A checkout that waits for its payer just now; if there is none, the page that says so, which loads the same.

    One on its way to a bank would be allowed to send its form there.
    """
    query = (
        select(CHECKOUTS.c.id)
        .join(PAYMENTS, PAYMENTS.c.id == CHECKOUTS.c.payment_id)
        .where(CHECKOUTS.c.state == "open", CHECKOUTS.c.expires_at > now(), PAYMENTS.c.status == "created")
        .order_by(CHECKOUTS.c.expires_at.desc())
        .limit(1)
    )
    with reading(ALL) as connection:
        found = connection.execute(query).scalar()
    return f"/pay/{token(found)}" if found else "/pay/nothing"


def _get(path: str) -> Response:
    """Follows redirects, but only within our own site."""
    site = settings().public_url
    answer = send("GET", site + path, own_site=True)
    for _ in range(_REDIRECTS):
        onwards = urljoin(site + path, answer.headers.get("location", ""))
        if answer.status not in (302, 303, 307) or not onwards.startswith(f"{site}/"):
            break
        answer = send("GET", onwards, own_site=True)
    return answer


def _tell(found: list[str], actor: str) -> None:
    with atomic(ALL):
        tell(
            "scripts.changed",
            subject=("scripts", uuid7()),
            merchant_id=None,
            live=None,
            audience="staff",
            data={"found": found[:50]},
            actor=actor,
        )
