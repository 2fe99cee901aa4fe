"""The list of payments with its filters. (What a caller remembers is looked up by find.py.)

It stays fast with millions of rows: pages go by id (ids rise with time), never by OFFSET, nothing is
counted, and every condition that narrows much has an index that is read in the order of the list.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Label,
    RowMapping,
    Select,
    func,
    select,
    union_all,
)

from app.merchants.models import Merchant
from app.payments.blocked import payer_blocked
from app.payments.queries import PAYMENTS

# One branch per (merchant, status) is read in index order; beyond this many, one scan with a filter.
_MOST_BRANCHES = 40

COLUMNS = (
    *(PAYMENTS.c[name] for name in ("id", "live", "merchant_id", "amount", "currency", "captured", "refunded")),
    *(PAYMENTS.c[name] for name in ("status", "method", "brand", "last4", "merchant_reference")),
    *(PAYMENTS.c[name] for name in ("payer_name", "payer_email", "created_at")),
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty tuples and None do not narrow. Amounts are minor units of `currency`; `until` is exclusive."""

    live: bool
    statuses: Sequence[str] = ()
    methods: Sequence[str] = ()
    merchants: Sequence[UUID] = ()
    shops: Sequence[UUID] = ()
    customer: UUID | None = None
    email: str | None = None  # the payer's, in full and in lower case
    currency: str | None = None
    least: int | None = None
    most: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    upto: UUID | None = None  # nothing newer than this one: for work that goes on while others are made


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page in the order of the list; whether there are more on either side."""

    rows: Sequence[RowMapping]
    has_previous: bool
    has_next: bool


def first_id_at(moment: datetime) -> UUID:
    """The smallest id that a payment started at `moment` can have."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def listed(
    connection: Connection,
    filters: Filters,
    *,
    limit: int = 50,
    after: UUID | None = None,
    before: UUID | None = None,
    oldest_first: bool = False,
    columns: Sequence[ColumnElement[Any]] = COLUMNS,
) -> Page:
    """One page: the rows that follow `after`, or those just in front of `before`, or the first ones.

    `columns` of payments; `id` and `merchant_id` among them. Rows carry `merchant_name` and `payer_blocked`, too.
    """
    backwards = before is not None
    rising = oldest_first != backwards
    cursor = before or after
    query = _ordered(filters, rising, cursor, limit + 1, columns)
    rows = connection.execute(query).mappings().all()
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows = rows[::-1]
    return Page(rows=rows, has_previous=more if backwards else after is not None, has_next=True if backwards else more)


def counted(connection: Connection, filters: Filters, at_most: int) -> int:
    """How many there are; counting ends at `at_most`. For work in the background: a list counts nothing."""
    parts = [select(PAYMENTS.c.id).where(*conditions) for conditions in _branches(filters)]
    some = select(union_all(*parts).subquery()).limit(at_most).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def _ordered(
    filters: Filters, rising: bool, cursor: UUID | None, limit: int, columns: Sequence[ColumnElement[Any]]
) -> Select[Any]:
    branches = [
        _limited(select(*columns).where(*conditions), PAYMENTS.c.id, rising, cursor, limit).subquery()
        for conditions in _branches(filters)
    ]
    if len(branches) == 1:
        page = branches[0]
    else:
        merged = union_all(*(select(branch) for branch in branches)).subquery()
        page = _limited(select(merged), merged.c.id, rising, None, limit).subquery()
    order = page.c.id.asc() if rising else page.c.id.desc()
    return select(page, merchant_name(page.c.merchant_id), payer_blocked(page.c.id)).order_by(order)


def _branches(filters: Filters) -> Iterator[list[ColumnElement[bool]]]:
    """Conditions of each part of the list; together they are the whole list."""
    common = list(_common(filters))
    merchants, statuses = list(filters.merchants), list(filters.statuses)
    if len(merchants or [None]) * len(statuses or [None]) > _MOST_BRANCHES:
        common += [PAYMENTS.c.merchant_id.in_(merchants)] if merchants else []
        common += [PAYMENTS.c.status.in_(statuses)] if statuses else []
        merchants, statuses = [], []
    for merchant, status in itertools.product(merchants or [None], statuses or [None]):
        conditions = list(common)
        if merchant is not None:
            conditions.append(PAYMENTS.c.merchant_id == merchant)
        if status is not None:
            conditions.append(PAYMENTS.c.status == status)
        yield conditions


def _common(filters: Filters) -> Iterator[ColumnElement[bool]]:
    yield PAYMENTS.c.live == filters.live
    if filters.methods:
        yield PAYMENTS.c.method.in_(filters.methods)
    if filters.shops:
        yield PAYMENTS.c.shop_id.in_(filters.shops)
    if filters.customer:
        yield PAYMENTS.c.customer_id == filters.customer
    if filters.email:
        yield PAYMENTS.c.email_key == filters.email
    if filters.currency:
        yield PAYMENTS.c.currency == filters.currency
    if filters.least is not None:
        yield PAYMENTS.c.amount >= filters.least
    if filters.most is not None:
        yield PAYMENTS.c.amount <= filters.most
    if filters.since is not None:
        yield PAYMENTS.c.id >= first_id_at(filters.since)
    if filters.until is not None:
        yield PAYMENTS.c.id < first_id_at(filters.until)
    if filters.upto is not None:
        yield PAYMENTS.c.id <= filters.upto


def _limited(
    query: Select[Any], column: ColumnElement[UUID], rising: bool, cursor: UUID | None, limit: int
) -> Select[Any]:
    if cursor is not None:
        query = query.where(column > cursor if rising else column < cursor)
    return query.order_by(column.asc() if rising else column.desc()).limit(limit)


def merchant_name(merchant_id: ColumnElement[UUID]) -> Label[str]:
    return select(Merchant.name).where(Merchant.id == merchant_id).scalar_subquery().label("merchant_name")
