"""What the scripts read: whose payments, which lives, which names; and functions that make ids like the product's."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from bench.filling.lives import LIVES, MADE_OF, Step, steps
from bench.filling.names import DOMAINS, FIRST, LAST, plain

_SCHEMA = Path(__file__).with_name("schema.sql")
_SECOND = 1_000_000

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_SHIFTS = [f"hi >> {bits}" for bits in range(61, 0, -5)] + ["((hi & 1) << 4) | ((lo >> 60) & 15)"]
_SHIFTS += [f"lo >> {bits}" for bits in range(55, -1, -5)]
_LETTERS = " || ".join(f"substr('{_ALPHABET}', 1 + (({shift}) & 31)::int, 1)" for shift in _SHIFTS)


@dataclass(frozen=True)
class Tenant:
    """Whose payments: `share` of 1000. `actor` is the merchant's API key, as it stands at operations and events."""

    share: int
    merchant_id: UUID
    live: bool
    shop_id: UUID
    contract_id: UUID
    currency: str
    prefix: str
    actor: str


# (merchant, currency, live, prefix of its references, share of 1000)
_TENANTS = (
    ("Buchhandlung Lindenhof", "EUR", False, "BL-", 420),
    ("Buchhandlung Lindenhof", "CHF", False, "BL-CH-", 30),
    ("Fahrradkontor Nord", "EUR", False, "R", 300),
    ("Tonstudio Weiß GmbH", "EUR", False, "TW/2026/", 200),
    ("Zeitschriften Kiosk24", "EUR", False, "", 40),
    ("Buchhandlung Lindenhof", "EUR", True, "BL-", 10),
)


def tenants(since: datetime) -> list[Tenant]:
    """Merchants with shop, contract and key, opened through the product's own operations at `since`."""
    from app.core.clock import replaying
    from app.core.db import ALL, atomic
    from app.core.ids import public_id
    from app.merchants import keys
    from app.merchants.add import add_contract, add_merchant, add_shop

    opened: dict[str, tuple[UUID, UUID]] = {}
    found = []
    with replaying(since), atomic(ALL) as connection:
        for name, currency, live, prefix, share in _TENANTS:
            if name not in opened:
                merchant_id = add_merchant(connection, name=name, sandbox=not live, actor="bench")
                opened[name] = (merchant_id, add_shop(connection, merchant_id=merchant_id, name=name, actor="bench"))
            merchant_id, shop_id = opened[name]
            tenant: dict[str, Any] = {"merchant_id": merchant_id, "live": live, "actor": "bench"}
            contract_id = add_contract(
                *(connection,),
                **tenant,
                provider="sandbox_card",
                label=f"Acquirer A, {currency}",
                settings={"url": "http://127.0.0.1:9", "api_key": "bench", "news_secret": "bench"},
                currencies=(currency,),
            )
            key_id, _ = keys.issue(connection, name=f"Shop {currency}", **tenant)
            actor = f"key:{public_id('key', key_id)}"
            found.append(Tenant(share, merchant_id, live, shop_id, contract_id, currency, prefix, actor))
    return found


def prepare(connection: psycopg.Connection, chosen: Sequence[Tenant], *, rows: int, days: int, at: datetime) -> None:
    """Makes the schema `fill` with everything that the scripts read."""
    connection.execute("DROP SCHEMA IF EXISTS fill CASCADE")
    connection.execute(_SCHEMA.read_text().replace(":letters", _LETTERS).encode())
    names = [FIRST, plain(FIRST), LAST, plain(LAST), DOMAINS]
    _insert(connection, "wanted", [(rows, days, int(at.timestamp() * _SECOND), *names)])
    _insert(connection, "tenants", _shared(chosen))
    _accounts(connection, chosen)
    _insert(connection, "lives", [*_lives(fresh=True), *_lives(fresh=False)])
    every = [step for life in LIVES for step in steps(life)]
    _insert(connection, "steps", [_step(connection, step) for step in every])
    lines = [(step, line) for step in every if step.posting for line in step.posting.lines]
    _insert(connection, "lines", [(step.life, step.place, code, MADE_OF[minor]) for step, (code, minor) in lines])
    connection.execute("ANALYZE fill.wanted, fill.tenants, fill.accounts, fill.lives, fill.steps, fill.lines")


def _shared(chosen: Sequence[Tenant]) -> Iterable[tuple[Any, ...]]:
    ends = itertools.accumulate(tenant.share for tenant in chosen)
    for number, (tenant, end) in enumerate(zip(chosen, ends, strict=True)):
        place = (number, (end - tenant.share) / 1000, end / 1000, tenant.merchant_id, tenant.live, tenant.shop_id)
        yield (*place, tenant.contract_id, tenant.currency, tenant.prefix, tenant.actor)


def _accounts(connection: psycopg.Connection, chosen: Sequence[Tenant]) -> None:
    from app.ledger.accounts import account_id

    codes = {code for life in LIVES for step in steps(life) if step.posting for code, _ in step.posting.lines}
    for number, tenant in enumerate(chosen):
        for code in sorted(codes):
            contract = tenant.contract_id if code == "provider_balance" else None
            account = account_id(tenant.merchant_id, tenant.live, code, tenant.currency, contract)
            _insert(connection, "accounts", [(number, code, account)])
            connection.execute(
                "INSERT INTO ledger_accounts (id, merchant_id, live, code, currency, contract_id)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (account, tenant.merchant_id, tenant.live, code, tenant.currency, contract),
            )


def _lives(fresh: bool) -> Iterable[tuple[Any, ...]]:
    hour, end = 3600 * _SECOND, 0
    for life in LIVES:
        begin, end = end, end + (life.fresh if fresh else life.settled)
        span = life.hours * hour
        if end > begin:
            yield (
                life.name,
                fresh,
                begin / 1000,
                end / 1000,
                span,
                life.youngest_hours * hour,
                life.oldest_hours * hour,
            )
    assert end == 1000, (fresh, end)


def _step(connection: psycopg.Connection, step: Step) -> tuple[Any, ...]:
    turn = step.turn
    return (
        *(step.life, step.place, turn.at, turn.kind, step.noun, turn.to, turn.fact, turn.code, turn.reason, turn.actor),
        *(step.stage, step.is_open, step.last, step.payment_step, step.posting.recipe if step.posting else None),
        *(MADE_OF[turn.asked], None if step.booked is None else MADE_OF[step.booked]),
        *(MADE_OF[step.sums[name]] for name in ("authorised", "captured", "cancelled", "refunded", "charged_back")),
        _status(connection, step),
    )


def _status(connection: psycopg.Connection, step: Step) -> str:
    """The word that the generated column would have."""
    from app.payments.states import STATUS_SQL

    sums = "SELECT stage, s.* FROM (VALUES (%s)) w (stage), jsonb_to_record(%s)"
    sums += " AS s (authorised bigint, captured bigint, cancelled bigint, refunded bigint, charged_back bigint)"
    query = f"SELECT {STATUS_SQL} FROM ({sums}) p"  # noqa: S608 - no values in it
    found = connection.execute(query.encode(), (step.stage, Jsonb(step.sums))).fetchone()
    assert found
    return found[0]


def _insert(connection: psycopg.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        for row in rows:
            places = ", ".join("ROW(%s, %s)::fill.made_of" if isinstance(value, tuple) else "%s" for value in row)
            values = [part for value in row for part in (value if isinstance(value, tuple) else (value,))]
            statement = f"INSERT INTO fill.{table} VALUES ({places})"  # noqa: S608 - tables of ours, places for values
            cursor.execute(statement.encode(), values)
