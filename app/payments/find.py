"""`find`: payments by what a caller remembers, as statements that one search runs together with others (core/fast.py).

Exact, or the beginning; never the middle, so that every part reads an index in order. Their parameters are those of
`given()`; their rows carry COLUMNS of the list, `merchant_name`, `payer_blocked`, and how they were found: `by`, and
`exact` (yes, no).
"""

from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, bindparam, literal_column, select, text, union_all

from app.core.fast import Statement
from app.core.ids import first_and_last
from app.payments.blocked import payer_blocked
from app.payments.queries import PAYMENTS
from app.payments.search import COLUMNS, merchant_name

_AFTER_EVERY_LETTER = "\U0010ffff"
_NO_ID = UUID(int=(1 << 128) - 1), UUID(int=0)

_KEYS: tuple[tuple[str, ColumnElement[Any]], ...] = (
    ("reference", PAYMENTS.c.reference_key),
    ("order", PAYMENTS.c.order_key),
    ("customer", PAYMENTS.c.customer_key),
)
_PERSONAL: tuple[tuple[str, ColumnElement[Any]], ...] = (
    ("email", PAYMENTS.c.email_key),
    ("name", PAYMENTS.c.name_key),
    ("name", PAYMENTS.c.surname_key),
)
# Whoever may not see names must not find out by asking for them either.
PERSONAL = frozenset(by for by, _key in _PERSONAL)


def given(typed: str, *, live: bool) -> dict[str, Any]:
    """The parameters of all these statements. Upper and lower case are the same but in providers' references."""
    wanted = typed.lower()
    low, high = first_and_last("pay", typed) or _NO_ID
    return {
        "typed": typed,
        "wanted": wanted,
        "end": wanted + _AFTER_EVERY_LETTER,
        "low": low,
        "high": high,
        "live": live,
    }


def remembered(typed: str, *, personal: bool, limit: int) -> Statement:
    """By reference, order and customer number, beginning of an id, last four digits; with `personal` by payer.

    At most `limit` each; exact ones newest first.
    """
    by_card = len(typed) == 4 and typed.isdecimal()
    return _remembered(by_card, first_and_last("pay", typed) is not None, personal, limit)


@cache
def _remembered(by_card: bool, by_id: bool, personal: bool, limit: int) -> Statement:
    """Made once: to put it together takes longer than to run it."""
    keys = _KEYS + _PERSONAL if personal else _KEYS
    # A number that the planner sees: with a parameter it might prepare for reading all there is.
    parts = _parts(keys, by_card, by_id, literal_column(str(int(limit))))
    both = union_all(*(select(part) for part in parts)).subquery()
    return Statement(select(both, merchant_name(both.c.merchant_id), payer_blocked(both.c.id)))


def _parts(
    keys: tuple[tuple[str, ColumnElement[Any]], ...], by_card: bool, by_id: bool, most: ColumnElement[Any]
) -> Iterator[Any]:
    wanted, end = bindparam("wanted", type_=String), bindparam("end", type_=String)
    newest = PAYMENTS.c.id.desc()
    for by, key in keys:
        yield _labelled(by, "yes").where(key == wanted).order_by(newest).limit(most).subquery()
    if by_card:
        yield _labelled("last4", "yes").where(PAYMENTS.c.last4 == wanted).order_by(newest).limit(most).subquery()
    for by, key in keys:
        query = _labelled(by, "no").where(key > wanted, key < end)
        yield query.order_by(key, PAYMENTS.c.id).limit(most).subquery()
    if by_id:
        query = _labelled("id", "no").where(PAYMENTS.c.id >= bindparam("low"), PAYMENTS.c.id <= bindparam("high"))
        yield query.order_by(newest).limit(most).subquery()


def _labelled(by: str, exact: str) -> Select[Any]:
    labels = literal_column(f"'{by}'").label("by"), literal_column(f"'{exact}'").label("exact")  # our own words
    return select(*COLUMNS, *labels).where(PAYMENTS.c.live == bindparam("live"))


def _of_contracts(table: str) -> str:
    """Providers' references are unique at a contract, and indexed so: each contract is asked by itself."""
    return (
        f"SELECT found.payment_id FROM contracts c CROSS JOIN LATERAL ("  # noqa: S608 - our own names
        f"SELECT t.payment_id FROM {table} t WHERE t.contract_id = c.id AND t.provider_reference = :typed LIMIT 21"
        f") found WHERE c.live = :live"
    )


OF_PROVIDER = Statement(
    select(
        *COLUMNS,
        literal_column("'provider'").label("by"),
        literal_column("'yes'").label("exact"),
        merchant_name(PAYMENTS.c.merchant_id),
        payer_blocked(PAYMENTS.c.id),
    )
    .where(
        text(
            f"payments.id = ANY (ARRAY({_of_contracts('operations')} UNION {_of_contracts('authorisations')} LIMIT 21))"
        )
    )
    .order_by(PAYMENTS.c.id.desc())
)
