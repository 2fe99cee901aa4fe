"""A payment on whatever servers the environment names: through the API, captured, booked, told.

    python -m tests.tools.pay_once JOURNALS

The last line printed is JSON.
"""

import json
import sys
from pathlib import Path

import redis

from app.config import settings
from app.core.ids import parse_id
from app.messages.relay import relay
from tests import factories
from tests.acquirers import running_acquirer
from tests.api.conftest import by_card, order
from tests.books import booked, broken_proofs, told
from wsgi import create_app


def main(journals: Path) -> None:
    application = create_app()
    journals.mkdir(parents=True, exist_ok=True)
    with running_acquirer("A", journals) as acquirer, application.app_context():
        tenant = factories.tenant(acquirer)
        answer = application.test_client().post(
            "/v1/payments",
            json=order(payment_method=by_card(), capture="automatic", merchant_reference="on-servers-of-debian"),
            headers={**tenant.headers, "Idempotency-Key": "once"},
        )
        payment = answer.get_json()
        relay()
        print(
            json.dumps(
                {
                    "http": answer.status_code,
                    "status": payment["status"],
                    "captured": payment["amount_captured"],
                    "told": told(parse_id("pay", payment["id"])),
                    "booked": booked(parse_id("pay", payment["id"])),
                    "proofs": broken_proofs(),
                    "woken": redis.Redis.from_url(settings().redis_url).dbsize(),
                },
                default=str,
            )
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
