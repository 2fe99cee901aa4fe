"""Refuses what is on the merchant's block list: e-mail address, card, IP address."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from app.core import vault
from app.core.fast import Statement
from app.risk.kinds import Finding, Subject, Verdict

ORDER = 10

_BLOCKED = Statement(
    text(
        "SELECT kind FROM block_entries WHERE merchant_id = :merchant_id AND live = :live"
        " AND fingerprint = ANY (:fingerprints) LIMIT 1"
    )
)


def check(connection: Connection, subject: Subject) -> Finding:
    candidates = {
        "email": fingerprint("email", subject.email.lower()) if subject.email else None,
        "ip": fingerprint("ip", subject.ip_address) if subject.ip_address else None,
        "card": subject.card_fingerprint,
    }
    wanted = [print_ for print_ in candidates.values() if print_]
    if not wanted:
        return Finding(Verdict.ALLOW)
    row = _BLOCKED.row(connection, {"merchant_id": subject.merchant_id, "live": subject.live, "fingerprints": wanted})
    return Finding(Verdict.DENY, f"{row[0]} is on the block list") if row else Finding(Verdict.ALLOW)


def fingerprint(kind: str, value: str) -> bytes:
    """The form in which entries are stored: a keyed hash, so that the list gives nobody's data away."""
    return vault.blind_index(value, f"block.{kind}")


if TYPE_CHECKING:
    from app.risk.checks import block_list as _me
    from app.risk.kinds import Check

    _: Check = _me
