"""Refuses, or holds for review, what is above the merchant's ceiling for one payment."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from app.risk.kinds import Finding, Subject, Verdict
from app.risk.models import AmountCeiling

ORDER = 20


def check(connection: Connection, subject: Subject) -> Finding:
    row = connection.execute(
        select(AmountCeiling.deny_above, AmountCeiling.review_above).where(
            AmountCeiling.merchant_id == subject.merchant_id,
            AmountCeiling.live == subject.live,
            AmountCeiling.currency == subject.currency,
        )
    ).first()
    if row is None:
        return Finding(Verdict.ALLOW)
    if row.deny_above is not None and subject.amount > row.deny_above:
        return Finding(Verdict.DENY, f"amount above {row.deny_above}")
    if row.review_above is not None and subject.amount > row.review_above:
        return Finding(Verdict.REVIEW, f"amount above {row.review_above}")
    return Finding(Verdict.ALLOW)


if TYPE_CHECKING:
    from app.risk.checks import amount_ceiling as _me
    from app.risk.kinds import Check

    _: Check = _me
