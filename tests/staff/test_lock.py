"""The lock-out: an attempt is counted before it is made, so guesses sent all at once are as few as those in a row."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from app.core.ids import uuid7
from app.staff import lock, sessions
from tests.admin.desk import Desk
from tests.staff.people import letters, row, somebody, told

AT_ONCE = 12


def attempts_at_once(app, email):
    """So many attempts of which none knows of the others."""
    start = Barrier(AT_ONCE)

    def one(_number):
        with app.app_context():
            start.wait()
            return lock.attempt(email)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(one, range(AT_ONCE)))


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_of_guesses_sent_at_once_five_are_looked_at(app, context, is_known):
    email = row(somebody())["email"] if is_known else f"{uuid7().hex}@example.com"
    made = attempts_at_once(app, email)
    assert sorted(one.number for one in made if one.wait_until is None) == [1, 2, 3, 4, 5]
    assert lock.attempt(email).wait_until is not None


def test_of_log_ins_sent_at_once_five_are_looked_at(app):
    with app.app_context():
        email = row(somebody())["email"]
    desks = [Desk(app.test_client()) for _ in range(AT_ONCE)]
    pages = [desk.open("/admin/login") for desk in desks]
    start = Barrier(AT_ONCE)

    def guess(number):
        start.wait()
        page = pages[number]
        return desks[number].send(page, page.form("email"), email=email, password="a guess").notes[0]

    with ThreadPoolExecutor(AT_ONCE) as threads:
        said = sorted(threads.map(guess, range(AT_ONCE)))
    assert said == ["E-mail address or password is wrong."] * 5 + ["Too many wrong passwords. Wait 1 minute."] * 7


def test_what_was_right_does_not_count_and_what_failed_before_it_does(context):
    user_id = somebody()
    email = row(user_id)["email"]
    for _ in range(4):
        lock.failed(lock.attempt(email))
    fifth = lock.attempt(email)
    assert row(user_id)["locked_until"] is not None, "while it is made nothing else is tried"
    lock.passed(fifth)
    assert (row(user_id)["failed_logins"], row(user_id)["locked_until"]) == (4, None)
    lock.failed(lock.attempt(email))
    assert row(user_id)["locked_until"] is not None
    assert told(user_id)[-1] == "staff.locked_out"


def test_a_right_one_does_not_end_the_wait_of_others_that_failed_meanwhile(context):
    user_id = somebody()
    email = row(user_id)["email"]
    mine = lock.attempt(email)
    for _ in range(4):
        lock.failed(lock.attempt(email))
    lock.passed(mine)
    assert row(user_id)["locked_until"] is not None


def test_a_lock_out_is_written_to_the_user_once_in_a_row(context):
    user_id = somebody()
    email = row(user_id)["email"]
    for _ in range(5):
        lock.failed(lock.attempt(email))
    assert [(name, facts["event"]) for name, facts in letters(email)] == [("staff_safety", "staff.locked_out")]
    sessions.begin(user_id, sessions.Device(uuid7(), "Firefox", None), ["password"])
    assert row(user_id)["locked_until"] is None
