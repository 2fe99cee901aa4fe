"""Saved filters: kept under a name, shared with colleagues, renamed, removed. Each is told as what its owner did."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.core.clock import now
from app.core.db import savepoint
from app.core.errors import Conflict, NotFound, Refusal
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.desks.models import FILTERS

LONGEST_NAME = 60
LONGEST_QUERY = 2_000
MOST = 50


class NameTaken(Conflict):
    code = "filter_name_taken"
    message = N_("You have a filter of this name already.")
    advice = N_("Choose another name, or remove the other one.")


class TooManyFilters(Conflict):
    code = "too_many_filters"
    message = N_("More than %(most)s filters are not kept.")
    advice = N_("Remove one that is not needed any more.")


class TooLong(Refusal):
    code = "filter_too_long"
    message = N_("This filter is too long to be kept.")
    advice = N_("Choose fewer things in it.")


def save(
    connection: Connection, *, user_id: UUID, screen: str, name: str, query: str, shared: bool, actor: str
) -> UUID:
    """Raises NameTaken, TooManyFilters, TooLong."""
    assert 0 < len(name) <= LONGEST_NAME
    if len(query) > LONGEST_QUERY:
        raise TooLong(param="name")
    there = select(func.count()).select_from(FILTERS).where(FILTERS.c.user_id == user_id, FILTERS.c.screen == screen)
    if connection.execute(there).scalar_one() >= MOST:
        raise TooManyFilters(param="name", most=MOST)
    filter_id = uuid7()
    values = {"user_id": user_id, "screen": screen, "name": name, "query": query, "shared": shared, "changed_at": now()}
    made = connection.execute(
        insert(FILTERS).values(id=filter_id, **values).on_conflict_do_nothing().returning(FILTERS.c.id)
    ).first()
    if made is None:
        raise NameTaken(param="name")
    _note("filter.saved", user_id, filter_id, {"screen": screen, "query": query, "shared": shared}, actor)
    return filter_id


def change(connection: Connection, filter_id: UUID, *, user_id: UUID, name: str, shared: bool, actor: str) -> None:
    """Only one's own. Raises NotFound, NameTaken."""
    before = _own(connection, filter_id, user_id)
    assert 0 < len(name) <= LONGEST_NAME
    if (before["name"], before["shared"]) == (name, shared):
        return
    try:
        with savepoint():
            connection.execute(
                update(FILTERS).where(FILTERS.c.id == filter_id).values(name=name, shared=shared, changed_at=now())
            )
    except IntegrityError:
        raise NameTaken(param="name") from None
    data = {"renamed": before["name"] != name, "before": {"shared": before["shared"]}, "after": {"shared": shared}}
    _note("filter.changed", user_id, filter_id, data, actor)


def remove(connection: Connection, filter_id: UUID, *, user_id: UUID, actor: str) -> None:
    """Only one's own. Raises NotFound."""
    row = _own(connection, filter_id, user_id)
    connection.execute(delete(FILTERS).where(FILTERS.c.id == filter_id))
    _note("filter.removed", user_id, filter_id, {"screen": row["screen"]}, actor)


def _own(connection: Connection, filter_id: UUID, user_id: UUID) -> Any:
    query = select(FILTERS).where(FILTERS.c.id == filter_id, FILTERS.c.user_id == user_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound()
    return row


def _note(name: str, user_id: UUID, filter_id: UUID, data: dict[str, Any], actor: str) -> None:
    """Without the filter's name: people name them after customers."""
    tell(
        name,
        subject=("staff", user_id),
        merchant_id=None,
        live=None,
        audience="staff",
        data={"filter": public_id("flt", filter_id), **data},
        actor=actor,
    )
