"""New merchants, shops and contracts, and changes to them. Each change is told to the staff's audience."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, insert, select, update

from app.connectors import CONNECTORS
from app.core.clock import now
from app.core.db import table_of
from app.core.errors import Conflict, NotFound, Refusal
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.money import exponent
from app.core.texts import N_
from app.merchants import contracts
from app.merchants.models import Merchant, ProviderContract, Shop

MERCHANTS, SHOPS, CONTRACTS = table_of(Merchant), table_of(Shop), table_of(ProviderContract)
_APART = 10  # between priorities, so that a contract can be put between two others by hand
PERSONAL = frozenset({"email", "notify_email"})

# How a shop looks and speaks until somebody says otherwise.
NEW_SHOP: Mapping[str, Any] = {
    "language": "de",
    "accent": "#1f4fd8",
    "radius": 10,
    "font": "system",
    "theme": "light",
    "texts": {},
    "allowed_origins": [],
}


class UnknownProvider(Refusal):
    code = "unknown_provider"
    message = N_("There is no connector %(provider)s.")


class MethodNotOffered(Refusal):
    code = "method_not_offered"
    message = N_("%(provider)s does not offer %(method)s.")


class ClockMoved(Conflict):
    code = "clock_moved"
    message = N_("This merchant's clock was moved forward, so it stays one for trying out.")
    advice = N_("Add a new merchant for real money.")


def add_merchant(
    connection: Connection, *, name: str, actor: str, sandbox: bool = True, email: str | None = None, **columns: Any
) -> UUID:
    merchant_id = uuid7()
    connection.execute(
        insert(MERCHANTS).values(
            {
                "id": merchant_id,
                "name": name,
                "country": "DE",
                "timezone": "Europe/Berlin",
                "language": "de",
                "email": email,
                "sandbox": sandbox,
                "clock_offset_seconds": 0,
                "created_at": now(),
                **columns,
            }
        )
    )
    _told("merchant.added", ("merchant", merchant_id), merchant_id, None, actor, {"name": name})
    return merchant_id


def add_shop(connection: Connection, *, merchant_id: UUID, name: str, actor: str, **columns: Any) -> UUID:
    """`columns`: any further column of `shops` (accent, allowed_origins, ...)."""
    shop_id = uuid7()
    values = {**NEW_SHOP, "id": shop_id, "merchant_id": merchant_id, "name": name, "created_at": now(), **columns}
    connection.execute(insert(SHOPS).values(values))
    _told("shop.added", ("shop", shop_id), merchant_id, None, actor, {"shop": public_id("shp", shop_id), "name": name})
    return shop_id


def add_contract(
    connection: Connection,
    *,
    merchant_id: UUID,
    live: bool,
    provider: str,
    label: str,
    settings: Mapping[str, str],
    actor: str,
    methods: Sequence[str] | None = None,
    currencies: Sequence[str] = ("EUR",),
    priority: int = 100,
    authorisation_days: int | None = None,
    honour_days: int | None = None,
    contract_id: UUID | None = None,
) -> UUID:
    """Raises UnknownProvider, MethodNotOffered, UnknownCurrency, SettingNeeded."""
    connector = CONNECTORS.get(provider)
    if connector is None:
        raise UnknownProvider(provider=provider, param="provider")
    wanted = list(methods if methods is not None else sorted(connector.METHODS))
    for method in wanted:
        if method not in connector.METHODS:
            raise MethodNotOffered(provider=provider, method=method, param="methods")
    for currency in currencies:
        exponent(currency)
    contract_id = contract_id or uuid7()
    connection.execute(
        insert(CONTRACTS).values(
            id=contract_id,
            merchant_id=merchant_id,
            live=live,
            provider=provider,
            label=label,
            methods=wanted,
            currencies=list(currencies),
            priority=priority,
            active=True,
            authorisation_days=authorisation_days,
            honour_days=honour_days,
            settings_sealed=contracts.sealed_settings(provider, settings),
            created_at=now(),
        )
    )
    data = {"contract": public_id("ctr", contract_id), "provider": provider, "label": label}
    _told("contract.added", ("contract", contract_id), merchant_id, live, actor, data)
    return contract_id


def change(
    connection: Connection, table: Table, row_id: UUID, values: Mapping[str, Any], *, noun: str, actor: str
) -> None:
    """Changes columns of a merchant, shop or contract and tells `<noun>.changed` with before and after.

    Sealed columns are named, their contents are not told; addresses of people go into the details. Raises NotFound,
    ClockMoved.
    """
    found = connection.execute(select(table).where(table.c.id == row_id).with_for_update()).mappings().first()
    if found is None:
        raise NotFound()
    before: dict[str, Any] = {**found}
    changed = {name: value for name, value in values.items() if before[name] != value}
    if not changed:
        return
    if changed.get("sandbox") is False and before["clock_offset_seconds"]:
        raise ClockMoved(param="sandbox")
    connection.execute(update(table).where(table.c.id == row_id).values(changed))
    shown = [name for name in changed if not isinstance(before[name], bytes) and not isinstance(changed[name], bytes)]
    data = {"changed": sorted(changed), **_compared(before, changed, [one for one in shown if one not in PERSONAL])}
    personal = _compared(before, changed, [one for one in shown if one in PERSONAL])
    merchant_id = before["merchant_id"] if "merchant_id" in before else before["id"]
    _told(f"{noun}.changed", (noun, row_id), merchant_id, before.get("live"), actor, data, personal)


def put_in_order(connection: Connection, contract_ids: Sequence[UUID], *, actor: str) -> None:
    """Contracts are tried in this order. Raises NotFound."""
    for number, contract_id in enumerate(contract_ids, start=1):
        change(connection, CONTRACTS, contract_id, {"priority": number * _APART}, noun="contract", actor=actor)


def _compared(before: Mapping[str, Any], after: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    if not names:
        return {}
    return {"before": {name: before[name] for name in names}, "after": {name: after[name] for name in names}}


def _told(
    name: str,
    subject: tuple[str, UUID],
    merchant_id: UUID,
    live: bool | None,
    actor: str,
    data: Mapping[str, Any],
    details: Mapping[str, Any] | None = None,
) -> None:
    tell(
        name,
        subject=subject,
        merchant_id=merchant_id,
        live=live,
        audience="staff",
        data=data,
        details=details,
        actor=actor,
    )
