"""What somebody has arranged for themselves: saved filters and columns; whose they are, and who sees them."""

import pytest
from sqlalchemy import text

from app.core.db import ALL, atomic, reading
from app.core.errors import NotFound
from app.core.ids import uuid7
from app.desks import filters
from app.desks.columns import choose
from app.desks.filters import NameTaken, TooLong, TooManyFilters
from app.desks.queries import desk
from app.staff.add import add_user
from app.staff.change import set_active

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def people():
    with atomic(ALL) as connection:
        return [
            add_user(
                connection,
                email=f"{name}-{uuid7()}@example.com",
                password="ein-langes-passwort",
                roles=["admin"],
                name=name,
                actor="test",
            )
            for name in ("Anna", "Bert")
        ]


def save(user_id, name="Open ones", *, query="status=authorised", shared=False):
    with atomic(ALL) as connection:
        return filters.save(
            connection, user_id=user_id, screen="payments", name=name, query=query, shared=shared, actor="staff:x"
        )


def seen(user_id):
    """[(name, query, mine, owner)]"""
    with reading(ALL) as connection:
        return [
            (one["name"], one["query"], one["mine"], one["owner"])
            for one in desk(connection, user_id, "payments").filters
        ]


def told_about(user_id):
    with reading(ALL) as connection:
        query = text("SELECT name, data FROM events WHERE subject_id = :id AND name LIKE '%filter%' ORDER BY id")
        return [(row.name, row.data) for row in connection.execute(query, {"id": user_id})]


def test_a_filter_is_its_owners_until_it_is_shared(people):
    anna, bert = people
    save(anna)
    save(anna, "all of us", query="status=failed", shared=True)
    assert seen(anna) == [
        ("all of us", "status=failed", True, "Anna"),
        ("Open ones", "status=authorised", True, "Anna"),
    ]
    assert ("all of us", "status=failed", False, "Anna") in seen(bert)
    assert "Open ones" not in [name for name, *_ in seen(bert)]


def test_what_a_deactivated_colleague_shared_is_gone(people):
    anna, bert = people
    save(anna, "of old", shared=True)
    with atomic(ALL) as connection:
        set_active(connection, anna, False, actor="test")
    assert "of old" not in [name for name, *_ in seen(bert)]


def test_a_name_is_given_once(people):
    anna, bert = people
    first, second = save(anna, "A"), save(anna, "B")
    with pytest.raises(NameTaken):
        save(anna, "A")
    with pytest.raises(NameTaken), atomic(ALL) as connection:
        filters.change(connection, second, user_id=anna, name="A", shared=False, actor="staff:x")
    assert save(bert, "A") != first


def test_it_is_renamed_shared_and_removed_and_each_is_told(people):
    anna, _bert = people
    made = save(anna)
    with atomic(ALL) as connection:
        filters.change(connection, made, user_id=anna, name="Frau Müllers Liste", shared=True, actor="staff:x")
    assert [name for name, _query, mine, _owner in seen(anna) if mine] == ["Frau Müllers Liste"]
    with atomic(ALL) as connection:
        filters.remove(connection, made, user_id=anna, actor="staff:x")
    assert not any(mine for _name, _query, mine, _owner in seen(anna))
    assert [name for name, _data in told_about(anna)] == ["filter.saved", "filter.changed", "filter.removed"]
    assert "Müller" not in str(told_about(anna)), "people name filters after people"


def test_nobody_changes_or_removes_anothers(people):
    anna, bert = people
    made = save(anna, shared=True)
    with pytest.raises(NotFound), atomic(ALL) as connection:
        filters.change(connection, made, user_id=bert, name="mine", shared=False, actor="staff:x")
    with pytest.raises(NotFound), atomic(ALL) as connection:
        filters.remove(connection, made, user_id=bert, actor="staff:x")
    assert "Open ones" in [name for name, *_ in seen(anna)]


def test_there_is_an_end_to_it(people, monkeypatch):
    anna, _bert = people
    with pytest.raises(TooLong):
        save(anna, query="x" * 2_001)
    monkeypatch.setattr(filters, "MOST", 1)
    save(anna, "first")
    with pytest.raises(TooManyFilters):
        save(anna, "second")


def test_columns_are_chosen_per_user(people):
    anna, bert = people
    for columns in (["status"], ["merchant", "status", "merchant"]):
        with atomic(ALL) as connection:
            choose(connection, user_id=anna, screen="payments", columns=columns, actor="staff:x")
    with reading(ALL) as connection:
        assert desk(connection, anna, "payments").columns == ("merchant", "status")
        assert desk(connection, bert, "payments").columns is None
        assert desk(connection, anna, "disputes").columns is None
