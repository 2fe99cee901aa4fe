"""The door for providers' notifications: kept raw first, then read. `POST /news/<provider>/<contract>`.

The path comes from `merchants.contracts.news_path`. What is kept is acknowledged even if it fits nothing yet or
reading it failed: a job reads it again. Only a wrong signature or form is refused, so that nobody can fill the books.
"""

import structlog
from flask import Blueprint, Response, request

from app.connectors import CONNECTORS
from app.connectors.kinds import NewsRefused
from app.core.errors import Refusal
from app.core.ids import parse_id
from app.core.logs import about
from app.core.problem import places
from app.core.texts import N_
from app.payments import news

log = structlog.get_logger()

LARGEST_BYTES = 256_000

door = Blueprint("news", __name__)


class NotificationRefused(Refusal):
    status = 400
    code = "notification_refused"
    message = N_("The signature or the form of this notification is wrong.")


@door.post("/news/<provider>/<contract>")
def receive(provider: str, contract: str) -> Response:
    """Raises NotFound for an unknown contract, NotificationRefused."""
    request.max_content_length = LARGEST_BYTES
    if provider in CONNECTORS:
        about(actor=f"provider:{provider}")
    headers = {name.lower(): value for name, value in request.headers.items()}
    message_id = news.receive(parse_id("ctr", contract), provider, headers, request.get_data())
    try:
        news.read(message_id)
    except NewsRefused as error:
        log.warning("news_refused", provider=provider, contract=contract, why=str(error))
        raise NotificationRefused() from None
    except Exception as error:  # it is kept; the job reads it again
        log.error("news_not_read", provider=provider, error=type(error).__name__, at=places(error))
    acknowledgement = CONNECTORS[provider].ACKNOWLEDGEMENT
    return Response(acknowledgement.body, 200, content_type=acknowledgement.content_type)
