"""The rows of an export: read a piece at a time, in the order of the list, as cells."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from app.core.cells import Cell
from app.exports.ask import of_json
from app.exports.columns import COLUMNS, Words
from app.merchants.add import SHOPS
from app.payments import search
from app.payments.queries import PAYMENTS

_NEEDED = (
    *("id", "merchant_id", "live", "merchant_reference", "status", "amount", "currency", "authorised", "captured"),
    *("cancelled", "refunded", "charged_back", "method", "brand", "last4", "shop_id", "order_number"),
    *("customer_number", "customer_id", "description", "payer_name", "payer_email", "payer_country"),
    *("created_at", "updated_at"),
)


def words_of(export: Mapping[str, Any]) -> Words:
    return Words(export["language"], ZoneInfo(export["timezone"]))


def header(export: Mapping[str, Any]) -> list[str]:
    words = words_of(export)
    return [words.said(COLUMNS[name].label) for name in export["columns"]]


def count(connection: Connection, export: Mapping[str, Any], at_most: int) -> int:
    return search.counted(connection, of_json(export["filters"], live=export["live"]), at_most)


def read(connection: Connection, export: Mapping[str, Any], many: int) -> tuple[list[list[Cell]], UUID | None, bool]:
    """(the next rows after the export's cursor, the new cursor, whether there are more)."""
    page = search.listed(
        connection,
        of_json(export["filters"], live=export["live"]),
        limit=many,
        after=export["cursor"],
        oldest_first=export["oldest_first"],
        columns=[PAYMENTS.c[name] for name in _NEEDED],
    )
    shops = _shops(connection, {row["shop_id"] for row in page.rows if row["shop_id"]})
    words, columns = words_of(export), [COLUMNS[name] for name in export["columns"]]
    cells: list[list[Cell]] = []
    for row in page.rows:
        full: dict[str, Any] = {**row, "shop_name": shops.get(row["shop_id"])}
        cells.append(
            [None if row["payer_blocked"] and column.personal else column.cell(full, words) for column in columns]
        )
    return cells, page.rows[-1]["id"] if page.rows else export["cursor"], page.has_next


def _shops(connection: Connection, ids: set[UUID]) -> dict[UUID, str]:
    if not ids:
        return {}
    return {row.id: row.name for row in connection.execute(select(SHOPS.c.id, SHOPS.c.name).where(SHOPS.c.id.in_(ids)))}
