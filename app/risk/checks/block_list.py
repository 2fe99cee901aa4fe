"""Refuses what is on the merchant's block list: e-mail address, card, IP address."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from app.core import vault
from app.risk.kinds import Finding, Subject, Verdict
from app.risk.models import BlockEntry

ORDER = 10


def check(connection: Connection, subject: Subject) -> Finding:
    candidates = {
        "email": fingerprint("email", subject.email.lower()) if subject.email else None,
        "ip": fingerprint("ip", subject.ip_address) if subject.ip_address else None,
        "card": subject.card_fingerprint,
    }
    wanted = [print_ for print_ in candidates.values() if print_]
    if not wanted:
        return Finding(Verdict.ALLOW)
    row = connection.execute(
        select(BlockEntry.kind)
        .where(
            BlockEntry.merchant_id == subject.merchant_id,
            BlockEntry.live == subject.live,
            BlockEntry.fingerprint.in_(wanted),
        )
        .limit(1)
    ).first()
    return Finding(Verdict.DENY, f"{row.kind} is on the block list") if row else Finding(Verdict.ALLOW)


def fingerprint(kind: str, value: str) -> bytes:
    """The form in which entries are stored: a keyed hash, so that the list gives nobody's data away."""
    return vault.blind_index(value, f"block.{kind}")


if TYPE_CHECKING:
    from app.risk.checks import block_list as _me
    from app.risk.kinds import Check

    _: Check = _me
