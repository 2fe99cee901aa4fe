"""Merchants by name, for filters and forms."""

from collections.abc import Sequence
from uuid import UUID

from flask import g
from flask_babel import gettext as _
from sqlalchemy import select

from admin.here import connection
from admin.listing import Choice, ids_of
from app.core.db import table_of
from app.core.ids import public_id
from app.merchants.models import Merchant

_MOST = 200


def names() -> dict[UUID, str]:
    """In the order of their names; read once per request."""
    if "merchants_known" not in g:
        table = table_of(Merchant)
        rows = connection().execute(select(table.c.id, table.c.name).order_by(table.c.name).limit(_MOST)).all()
        g.merchants_known = {row.id: row.name for row in rows}
    return g.merchants_known


def options() -> dict[str, str]:
    """Public id -> name."""
    return {public_id("mer", merchant_id): name for merchant_id, name in names().items()}


def choice() -> Choice:
    return Choice(_("Merchant"), ("merchant",), options=options(), more=_called)


def _called(keys: Sequence[str]) -> dict[str, str]:
    """Those of them that whoever asks may see: more than are offered can be linked to."""
    table = table_of(Merchant)
    rows = connection().execute(select(table.c.id, table.c.name).where(table.c.id.in_(ids_of("mer", keys))))
    return {public_id("mer", row.id): row.name for row in rows}
