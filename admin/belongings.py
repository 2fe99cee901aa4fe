"""What belongs to a merchant: its shops, and the contracts, keys and endpoints of the mode that is looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, literal_column, select

from admin.here import connection, here
from app.core.db import table_of
from app.core.fast import Statement, read_together
from app.merchants.add import CONTRACTS, SHOPS
from app.merchants.models import ApiKey
from app.messages.endpoints import ENDPOINTS
from app.methods import METHODS
from app.payments.queries import PAYMENTS

KEYS = table_of(ApiKey)
_NEWEST = 50  # payments among which one is looked for that went through

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Belongings:
    """Rows as they are stored; contracts in the order in which they are tried, those in use first.

    `has_paid`: one of the newest payments of this mode went through.
    """

    shops: Rows
    contracts: Rows
    keys: Rows
    endpoints: Rows
    has_paid: bool

    @property
    def active(self) -> Rows:
        return [one for one in self.contracts if one["active"]]

    def methods(self, currency: str | None = None) -> list[str]:
        """What a payer can choose, in the order in which they see it."""
        taken = {
            name
            for one in self.active
            if currency is None or currency in one["currencies"]
            for name in one["methods"]
            if name in METHODS
        }
        return sorted(taken, key=lambda name: METHODS[name].ORDER)


def read(merchant_id: UUID) -> Belongings:
    """All of it in one round trip."""
    params = {"merchant_id": merchant_id, "live": here().live}
    shops, contracts, keys, endpoints, paid = read_together(connection(), params, *_STATEMENTS)
    return Belongings(
        shops=shops,
        contracts=sorted(contracts, key=lambda one: (not one["active"], one["priority"], one["id"])),
        keys=keys,
        endpoints=endpoints,
        has_paid=bool(paid),
    )


def _of_merchant(table: Table, *conditions: Any, columns: Any = None) -> Statement:
    query = select(*(columns or table.c)).where(table.c.merchant_id == bindparam("merchant_id"), *conditions)
    return Statement(query.order_by(table.c.id))


_LIVE = bindparam("live")
_SHOWN_OF_SHOP = [column for column in SHOPS.c if column.name != "logo"]  # of the picture only whether there is one
_newest = (
    select(PAYMENTS.c.authorised)
    .where(PAYMENTS.c.merchant_id == bindparam("merchant_id"), PAYMENTS.c.live == _LIVE)
    .order_by(PAYMENTS.c.id.desc())
    .limit(literal_column(str(_NEWEST)))
    .subquery()
)
_STATEMENTS = (
    _of_merchant(SHOPS, columns=[*_SHOWN_OF_SHOP, SHOPS.c.logo.is_not(None).label("logo")]),
    _of_merchant(CONTRACTS, CONTRACTS.c.live == _LIVE),
    _of_merchant(KEYS, KEYS.c.live == _LIVE, KEYS.c.revoked_at.is_(None)),
    _of_merchant(ENDPOINTS, ENDPOINTS.c.live == _LIVE, ENDPOINTS.c.deleted_at.is_(None)),
    Statement(
        select(_newest.c.authorised).where(_newest.c.authorised > literal_column("0")).limit(literal_column("1"))
    ),
)
