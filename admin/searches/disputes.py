"""Disputes by what the provider calls them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import text

from admin import formats
from admin.office import url
from admin.searches.kinds import Asked, Group, Hit, Row, group
from app.core.fast import Statement
from app.core.ids import public_id

ORDER = 40
PERMISSION = "dispute.read"

_OF_PROVIDER = Statement(
    text(
        "SELECT d.*, p.merchant_reference, m.name AS merchant_name FROM contracts c CROSS JOIN LATERAL ("
        " SELECT id, payment_id, merchant_id, state, amount, currency, reason, opened_at FROM disputes t"
        " WHERE t.contract_id = c.id AND t.provider_reference = :typed LIMIT 21) d"
        " JOIN payments p ON p.id = d.payment_id JOIN merchants m ON m.id = d.merchant_id"
        " WHERE c.live = :live ORDER BY d.id DESC LIMIT 21"
    )
)


def question(asked: Asked) -> Statement | None:
    return _OF_PROVIDER if " " not in asked.typed else None


def groups(asked: Asked, rows: Sequence[Row]) -> list[Group]:
    heading = _("The provider calls the dispute “%(text)s”", text=asked.typed)
    return [group(heading, True, rows, _hit)] if rows else []


def _hit(row: Row) -> Hit:
    return Hit(
        url=url("disputes.detail", id=public_id("dsp", row["id"])),
        name=row["merchant_reference"],
        state=formats.dispute_state(row["state"]),
        amount=formats.money(row["amount"], row["currency"]),
        more=formats.dispute_reason(row["reason"]),
        merchant=row["merchant_name"],
        when=formats.moment(row["opened_at"]),
    )


if TYPE_CHECKING:
    from admin.searches import disputes as _me
    from admin.searches.kinds import Kind

    _check: Kind = _me
