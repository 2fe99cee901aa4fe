"""Refuses, holds for review, or asks who is paying, above the merchant's ceilings for one payment."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, select

from app.core.fast import Statement
from app.risk.kinds import Finding, Subject, Verdict
from app.risk.models import AmountCeiling
from app.risk.take import taken

ORDER = 20

_CEILING = Statement(
    select(AmountCeiling.deny_above, AmountCeiling.review_above, AmountCeiling.details_above).where(
        AmountCeiling.merchant_id == bindparam("merchant_id"),
        AmountCeiling.live == bindparam("live"),
        AmountCeiling.currency == bindparam("currency"),
    )
)


def check(connection: Connection, subject: Subject) -> Finding:
    row = _CEILING.row(
        connection, {"merchant_id": subject.merchant_id, "live": subject.live, "currency": subject.currency}
    )
    if row is None:
        return Finding(Verdict.ALLOW)
    deny_above, review_above, details_above = row
    if deny_above is not None and subject.amount > deny_above:
        return Finding(Verdict.DENY, f"amount above {deny_above}")
    asked = details_above is not None and subject.amount > details_above
    if asked and taken(connection, subject.payment_id, "details") is None:
        return Finding(Verdict.ASK, f"amount above {details_above}", step="details")
    if review_above is not None and subject.amount > review_above:
        return Finding(Verdict.REVIEW, f"amount above {review_above}")
    return Finding(Verdict.ALLOW)


if TYPE_CHECKING:
    from app.risk.checks import amount_ceiling as _me
    from app.risk.kinds import Check

    _: Check = _me
