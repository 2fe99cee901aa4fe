"""Shops by name, for filters."""

from collections.abc import Sequence
from uuid import UUID

from flask import g
from flask_babel import gettext as _
from sqlalchemy import RowMapping, select

from admin.here import connection
from admin.listing import Choice, ids_of
from app.core.ids import public_id
from app.merchants.add import SHOPS

_MOST = 200


def _rows() -> Sequence[RowMapping]:
    """In the order of their names; read once per request."""
    if "shops_known" not in g:
        query = select(SHOPS.c.id, SHOPS.c.name, SHOPS.c.merchant_id).order_by(SHOPS.c.name).limit(_MOST)
        g.shops_known = connection().execute(query).mappings().all()
    return g.shops_known


def choice() -> Choice:
    options = {public_id("shp", row["id"]): row["name"] for row in _rows()}
    return Choice(_("Shop"), ("shop",), options=options, more=_called)


def _called(keys: Sequence[str]) -> dict[str, str]:
    rows = connection().execute(select(SHOPS.c.id, SHOPS.c.name).where(SHOPS.c.id.in_(ids_of("shp", keys))))
    return {public_id("shp", row.id): row.name for row in rows}


def merchants_of(shops: Sequence[UUID]) -> tuple[UUID, ...]:
    return tuple({row["merchant_id"] for row in _rows() if row["id"] in shops})
