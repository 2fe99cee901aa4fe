"""Authenticator apps, recovery codes, and who needs what."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from app import config
from app.core.db import ALL, atomic, reading
from app.core.errors import NotFound
from app.core.ids import uuid7
from app.staff import authenticator, recovery, second_factor
from app.staff.authenticator import UsedCode, WrongCode
from app.staff.datastore import StaffDatastore
from app.staff.recovery import WrongRecoveryCode
from app.staff.second_factor import FACTORS, LastFactor
from tests.staff.people import app_of, code, row, somebody, told

pytestmark = pytest.mark.usefixtures("context")


def stored(user_id):
    with reading(ALL) as connection:
        return connection.execute(select(FACTORS).where(FACTORS.c.user_id == user_id)).mappings().one()


def factors(user_id):
    with reading(ALL) as connection:
        return second_factor.of(connection, user_id)


def use(user_id, typed):
    with atomic(ALL) as connection:
        authenticator.use(connection, user_id, typed)


def test_an_app_is_set_up_with_a_code_and_its_secret_is_sealed():
    user_id = somebody()
    secret = app_of(user_id)
    assert factors(user_id).totp_since is not None
    assert secret.encode() not in stored(user_id)["totp_sealed"]
    assert told(user_id) == ["staff.added", "staff.totp_added"]


def test_an_app_without_the_right_code_is_not_set_up():
    user_id = somebody()
    with pytest.raises(WrongCode), atomic(ALL) as connection:
        authenticator.set_up(connection, user_id, authenticator.new_secret(), "000000x")
    assert not factors(user_id).any
    assert told(user_id) == ["staff.added"]


def test_a_code_works_once_and_never_a_code_before_it():
    user_id = somebody()
    secret = app_of(user_id)
    with pytest.raises(UsedCode):
        use(user_id, code(secret))
    use(user_id, f" {code(secret, 1)[:3]} {code(secret, 1)[3:]} ")
    for spent in (code(secret, 1), code(secret), code(secret, -1)):
        with pytest.raises((UsedCode, WrongCode)):
            use(user_id, spent)


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "1234567"])
def test_what_is_no_code_is_wrong(typed):
    user_id = somebody()
    app_of(user_id)
    with pytest.raises(WrongCode):
        use(user_id, typed)


def test_codes_of_another_time_are_wrong():
    user_id = somebody()
    secret = app_of(user_id)
    with pytest.raises(WrongCode):
        use(user_id, code(secret, 3))


def test_recovery_codes_work_once_each_and_are_kept_as_fingerprints():
    user_id = somebody()
    app_of(user_id)
    with atomic(ALL) as connection:
        codes = recovery.make(connection, user_id)
    assert len(set(codes)) == recovery.HOW_MANY == factors(user_id).codes
    assert all(one.replace("-", "").encode() not in b"".join(stored(user_id)["recovery_hashes"]) for one in codes)
    with atomic(ALL) as connection:
        assert recovery.use(connection, user_id, codes[3].upper().replace("-", " ")) == 9
    with pytest.raises(WrongRecoveryCode), atomic(ALL) as connection:
        recovery.use(connection, user_id, codes[3])
    assert told(user_id)[-2:] == ["staff.recovery_codes_made", "staff.recovery_code_used"]


def test_new_recovery_codes_end_the_old_and_nobody_uses_those_of_others():
    user_id, other = somebody(), somebody()
    with atomic(ALL) as connection:
        old = recovery.make(connection, user_id)
        new = recovery.make(connection, user_id)
        recovery.make(connection, other)
    for somebodys, typed in ((user_id, old[0]), (other, new[0])):
        with pytest.raises(WrongRecoveryCode), atomic(ALL) as connection:
            recovery.use(connection, somebodys, typed)


def test_the_last_factor_stays_where_the_role_needs_one():
    user_id = somebody("operator")
    app_of(user_id)
    with atomic(ALL) as connection:
        recovery.make(connection, user_id)
    with pytest.raises(LastFactor), atomic(ALL) as connection:
        authenticator.remove(connection, user_id, needs=True)
    assert factors(user_id).totp_since
    with atomic(ALL) as connection:
        authenticator.remove(connection, user_id, needs=False)
    assert not factors(user_id).any and factors(user_id).codes == 0, "codes alone make no sense"
    assert told(user_id)[-1] == "staff.totp_removed"


def test_an_administrator_removes_what_was_lost_and_sessions_end():
    user_id = somebody()
    app_of(user_id)
    before = row(user_id)["fs_uniquifier"]
    with atomic(ALL) as connection:
        second_factor.remove_all(connection, user_id, actor="staff:usr_boss")
    assert not factors(user_id).any
    assert row(user_id)["fs_uniquifier"] != before
    assert told(user_id)[-2:] == ["staff.session_ended", "staff.second_factor_removed"]
    with pytest.raises(NotFound), atomic(ALL) as connection:
        second_factor.remove_all(connection, uuid7(), actor="staff:usr_boss")


def needs(user_id):
    user = StaffDatastore().find_user(email=row(user_id)["email"])
    assert user is not None
    return second_factor.needed(user)


def test_who_moves_money_needs_one_where_second_factors_are_on(monkeypatch):
    support, operator = somebody("support"), somebody("operator")
    assert not needs(operator), "not in tests and demo"
    on = replace(config.settings(), second_factors=True)
    monkeypatch.setattr("app.staff.second_factor.settings", lambda: on)
    assert needs(operator) and not needs(support)


def test_what_was_chosen_for_a_role_counts_before_what_is_shipped():
    user_id = somebody("accountant")
    for chosen in (True, False):
        with atomic(ALL) as connection:
            second_factor.ask_of_role(connection, "accountant", chosen, actor="test")
        assert needs(user_id) is chosen
    with pytest.raises(NotFound), atomic(ALL) as connection:
        second_factor.ask_of_role(connection, "emperor", True, actor="test")
