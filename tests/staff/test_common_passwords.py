"""Passwords that are guessed first."""

import pytest

from app.core.db import ALL, atomic
from app.staff.add import add_user
from app.staff.common_passwords import CommonPassword, is_common


@pytest.mark.parametrize(
    "password",
    [
        *("password12345", "Passwort-2026!", "P@ssw0rd2026", "passwordpassword", "geheim123456", "Sommer2026!!!"),
        *("qwertzuiop12", "1qaz2wsx3edc", "yxcvbnm,.-123", "abcdefghijklm", "123456789012", "aaaaaaaaaaaab"),
        *("Berlin123456!", "fcbayern1900!!", "Zahlwerk2026!", "correct horse battery staple", "hallo-hallo-hallo"),
    ],
)
def test_what_everybody_tries_first_is_common(password):
    assert is_common(password)


@pytest.mark.parametrize(
    "password",
    ["ein-langes-passwort", "blaue ziege singt leise", "x7Kd93nQp2Vw", "Hund Katze Maus Tiger", "7-Zwerge+im-Garten"],
)
def test_what_is_hard_to_guess_is_not(password):
    assert not is_common(password)


def test_the_own_name_is_no_secret():
    assert is_common("schmidtbauer1985", ["erika.schmidtbauer@example.com"])
    assert not is_common("schmidtbauer1985", ["somebody@example.com"])


def test_nobody_gets_such_a_password(context):
    with pytest.raises(CommonPassword), atomic(ALL) as connection:
        add_user(connection, email="c@example.com", password="Sommer2026!!", roles=["support"], actor="test")
