"""`come_back()`: the payer returns from a bank or from PayPal by the link of `attempt.return_url()`."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core import vault
from app.core.db import ALL, reading
from app.core.errors import NotFound
from app.core.ids import parse_id
from app.payments.checkout import CHECKOUTS
from app.payments.queries import OPERATIONS
from app.payments.resume import resume


@dataclass(frozen=True, slots=True)
class Returned:
    """The payment as it is now, and the checkout it belongs to (None: made through the API)."""

    payment: Mapping[str, Any]
    checkout_id: UUID | None


def come_back(token: str, parameters: Mapping[str, str], *, actor: str = "payer") -> Returned:
    """Asks the provider how the payer's action went. `parameters`: what its redirect carried.

    Only the first of several calls asks. Raises NotFound for a wrong, changed or unknown link.
    """
    key, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), vault.page_signature("return", key).encode()):
        raise NotFound()
    with reading(ALL) as connection:
        row = connection.execute(
            select(OPERATIONS.c.id, OPERATIONS.c.merchant_id, OPERATIONS.c.live, CHECKOUTS.c.id.label("checkout_id"))
            .join(CHECKOUTS, CHECKOUTS.c.payment_id == OPERATIONS.c.payment_id, isouter=True)
            .where(OPERATIONS.c.id == parse_id("op", key))
        ).first()
    if row is None:
        raise NotFound()
    done = resume(merchant_id=row.merchant_id, live=row.live, operation_id=row.id, parameters=parameters, actor=actor)
    return Returned(done.payment, row.checkout_id)
