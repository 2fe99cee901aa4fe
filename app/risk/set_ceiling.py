"""How much one payment of a merchant may be, per currency: from where on the payer is asked who they are, the capture
is held for a review, the payment is refused."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from app.core.db import table_of
from app.core.errors import Refusal
from app.core.events import tell
from app.core.money import exponent
from app.core.texts import N_
from app.risk.models import AmountCeiling

CEILINGS = table_of(AmountCeiling)
LEVELS = ("details_above", "review_above", "deny_above")


class NeverReached(Refusal):
    code = "never_reached"
    message = N_("Payments of this amount are refused before.")
    advice = N_("Choose an amount below the one above which payments are refused.")


class BadCeiling(Refusal):
    code = "bad_ceiling"
    message = N_("The amount must be zero or more.")


def set_ceiling(
    connection: Connection,
    *,
    merchant_id: UUID,
    live: bool,
    currency: str,
    details_above: int | None = None,
    review_above: int | None = None,
    deny_above: int | None = None,
    actor: str,
) -> None:
    """Minor units; None: no such ceiling, and without any the currency has none. Tells before and after.

    Raises UnknownCurrency, BadCeiling, NeverReached.
    """
    exponent(currency)
    after = {"details_above": details_above, "review_above": review_above, "deny_above": deny_above}
    _check(after)
    whose = (
        CEILINGS.c.merchant_id == merchant_id,
        CEILINGS.c.live == live,
        CEILINGS.c.currency == currency,
    )
    row = connection.execute(select(CEILINGS).where(*whose).with_for_update()).mappings().first()
    before = {name: row[name] for name in LEVELS} if row else dict.fromkeys(LEVELS)
    if before == after:
        return
    if any(value is not None for value in after.values()):
        values = {"merchant_id": merchant_id, "live": live, "currency": currency, **after}
        keys = ("merchant_id", "live", "currency")
        connection.execute(insert(CEILINGS).values(values).on_conflict_do_update(index_elements=keys, set_=after))
    else:
        connection.execute(delete(CEILINGS).where(*whose))
    tell(
        "amount_ceiling.changed",
        subject=("merchant", merchant_id),
        merchant_id=merchant_id,
        live=live,
        audience="staff",
        data={"currency": currency, "before": before, "after": after},
        actor=actor,
    )


def _check(levels: Mapping[str, Any]) -> None:
    for name, value in levels.items():
        if value is not None and value < 0:
            raise BadCeiling(param=name)
        if name != "deny_above" and None not in (value, levels["deny_above"]) and value >= levels["deny_above"]:
            raise NeverReached(param=name)
