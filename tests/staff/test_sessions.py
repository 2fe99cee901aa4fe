"""Sessions: opened, seen, ended."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine

from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.errors import NotFound
from app.core.ids import uuid7
from app.staff import device, sessions
from app.staff.datastore import StaffDatastore
from app.staff.sessions import Device
from tests.staff.people import app_of, letters, row, somebody, told

pytestmark = pytest.mark.usefixtures("context")

LAPTOP, PHONE = Device(uuid4(), "Firefox, Windows", "192.0.2.1"), Device(uuid4(), "Safari, iPhone", "192.0.2.2")


def listed(user_id):
    with reading(ALL) as connection:
        return [one["id"] for one in sessions.listed(connection, user_id)]


def lives(user_id, session_id):
    with reading(ALL):
        return StaffDatastore().find_logged_in(row(user_id)["fs_uniquifier"], session_id) is not None


def test_a_log_in_opens_a_session_and_knows_the_second_factor():
    user_id = somebody()
    session_id = sessions.begin(user_id, LAPTOP, ["password"])
    with reading(ALL):
        user, log_in = StaffDatastore().find_logged_in(row(user_id)["fs_uniquifier"], session_id)
    assert user.id == user_id and [role.name for role in user.roles] == ["support"]
    assert not log_in.has_second_factor and not log_in.must_set_up
    app_of(user_id)
    with reading(ALL):
        found = StaffDatastore().find_logged_in(row(user_id)["fs_uniquifier"], session_id)
    assert found and found[1].has_second_factor
    assert told(user_id)[1] == "staff.logged_in"


def test_a_mail_goes_out_for_a_device_never_seen_but_not_for_the_first_log_in():
    email = f"{uuid7().hex[-8:]}@example.com"
    user_id = somebody(email=email)
    sessions.begin(user_id, LAPTOP, ["password"])
    sessions.begin(user_id, LAPTOP, ["password"])
    assert letters(email) == []
    sessions.begin(user_id, PHONE, ["password"])
    assert [name for name, _ in letters(email)] == ["staff_new_device"]


def test_one_session_ends_and_the_others_stay():
    user_id, other = somebody(), somebody()
    first, second = (sessions.begin(user_id, one, ["password"]) for one in (LAPTOP, PHONE))
    with atomic(ALL) as connection:
        sessions.end(connection, user_id, first, actor="test")
    assert listed(user_id) == [second] and not lives(user_id, first) and lives(user_id, second)
    for somebodys in (user_id, other):
        with pytest.raises(NotFound), atomic(ALL) as connection:
            sessions.end(connection, somebodys, first if somebodys == user_id else second, actor="test")
    assert told(user_id)[-1] == "staff.session_ended"


def test_all_others_end():
    user_id = somebody()
    mine, *_rest = [sessions.begin(user_id, LAPTOP, ["password"]) for _ in range(3)]
    with atomic(ALL) as connection:
        assert sessions.end_others(connection, user_id, mine, actor="test") == 2
    assert listed(user_id) == [mine]
    with atomic(ALL) as connection:
        assert sessions.end_others(connection, user_id, mine, actor="test") == 0
    assert told(user_id).count("staff.session_ended") == 1


def test_an_administrator_ends_all_of_them():
    user_id = somebody()
    session_id = sessions.begin(user_id, LAPTOP, ["password"])
    before = row(user_id)["fs_uniquifier"]
    with atomic(ALL) as connection:
        assert sessions.end_all(connection, user_id, actor="test") == 1
    assert listed(user_id) == [] and not lives(user_id, session_id)
    assert row(user_id)["fs_uniquifier"] != before, "log-ins that are half done end too"


def test_a_session_that_nobody_uses_ends_by_itself():
    user_id = somebody()
    session_id = sessions.begin(user_id, LAPTOP, ["password"])
    with time_machine.travel(now() + timedelta(minutes=30)):
        assert lives(user_id, session_id)
        sessions.seen(session_id, "192.0.2.3")
    with time_machine.travel(now() + timedelta(minutes=60)):
        assert lives(user_id, session_id)
    with time_machine.travel(now() + timedelta(minutes=62)):
        assert not lives(user_id, session_id) and listed(user_id) == []


def test_a_session_that_is_always_used_ends_after_half_a_day():
    user_id = somebody()
    session_id, begun = sessions.begin(user_id, LAPTOP, ["password"]), now()
    for half_hours in range(1, 24):
        with time_machine.travel(begun + half_hours * timedelta(minutes=30)):
            assert lives(user_id, session_id)
            sessions.seen(session_id, "192.0.2.3")
    with time_machine.travel(begun + sessions.LASTS + timedelta(seconds=1)):
        sessions.seen(session_id, "192.0.2.3")
        assert not lives(user_id, session_id) and listed(user_id) == []


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox, Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36", "Chrome, Linux"),
        ("curl/8.1", ""),
    ],
)
def test_a_device_has_a_name_that_people_know(said, name):
    assert device.named(said) == name
