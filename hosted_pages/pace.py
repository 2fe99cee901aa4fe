"""How often forms may be sent to the checkout's pages from one address.

A checkout ends after so many attempts, but whoever tries out stolen cards opens one checkout after the other.
"""

from flask import request

from app.config import settings
from app.core.errors import Refusal
from app.core.limiter import limiter, who_is_at
from app.core.texts import N_
from hosted_pages.visit import arrive


class TooFast(Refusal):
    kind = "rate_limit"
    status = 429
    code = "too_many_forms"
    message = N_("Too many forms were sent from this address within a minute.")
    advice = N_("Wait for the seconds in Retry-After.")


def keep_pace() -> None:
    """Before every request: raises TooFast, in the shop's look; NotFound for a wrong link."""
    if request.method != "POST" or request.blueprint != "hosted" or not request.path.startswith("/pay/"):
        return
    limit = settings().checkout_forms_per_minute
    standing = limiter().count(f"pay:{who_is_at(request.remote_addr)}", limit)
    if standing.exceeded:
        arrive((request.view_args or {})["token"], shared=True)
        raise TooFast(limit=limit, retry_after=standing.retry_after)
