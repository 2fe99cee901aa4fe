"""Payments by what a provider calls them: the reference of an authorisation, capture or refund."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin.searches.kinds import Asked, Group, Row, group
from admin.searches.payments import hit
from app.core.fast import Statement
from app.payments.find import OF_PROVIDER

ORDER = 30
PERMISSION = "payment.read"
_SHORTEST = 6  # no provider's reference is shorter, and most searches are


def question(asked: Asked) -> Statement | None:
    return OF_PROVIDER if len(asked.typed) >= _SHORTEST and " " not in asked.typed else None


def groups(asked: Asked, rows: Sequence[Row]) -> list[Group]:
    heading = _("The provider’s reference is “%(text)s”", text=asked.typed)
    return [group(heading, True, rows, hit)] if rows else []


if TYPE_CHECKING:
    from admin.searches import providers as _me
    from admin.searches.kinds import Kind

    _check: Kind = _me
