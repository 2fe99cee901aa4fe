import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import vault


@given(st.binary(max_size=500))
def test_what_is_sealed_opens_again_and_does_not_show(plain):
    sealed = vault.seal(plain, "here")
    assert vault.unseal(sealed, "here") == plain
    assert len(plain) < 4 or plain not in sealed


def test_a_value_moved_or_changed_does_not_open():
    sealed = vault.seal(b"DE02120300000000202051", "instruments.iban")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    unknown_key = bytes([9]) + sealed[1:]
    for value, context in (
        (sealed, "mails.sealed"),
        (changed, "instruments.iban"),
        (unknown_key, "instruments.iban"),
        (b"", "x"),
    ):
        with pytest.raises(vault.CannotOpen):
            vault.unseal(value, context)


def test_the_same_value_seals_differently_but_has_one_blind_index_per_purpose():
    assert vault.seal(b"x", "a") != vault.seal(b"x", "a")
    assert vault.blind_index("4242", "card") == vault.blind_index("4242", "card")
    assert vault.blind_index("4242", "card") != vault.blind_index("4242", "iban")
