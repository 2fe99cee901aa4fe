from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import NotFound
from app.core.ids import parse_id, public_id, uuid7


@given(st.uuids())
def test_a_public_id_and_back_is_the_same(value):
    assert parse_id("pay", public_id("pay", value)) == value


def test_ids_rise_and_are_version_seven():
    ids = [uuid7() for _ in range(5000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 5000
    assert {value.version for value in ids} == {7}
    assert {value.variant for value in ids} == {UUID(int=ids[0].int).variant}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pay_",
        "pay_short",
        "op_01m7zpnckmevrrass6y45fjy5e",
        "pay_01M7ZPNCKMEVRRASS6Y45FJY5E",
        "pay_" + "z" * 26,
        "pay_01m7zpnckmevrrass6y45fjy5\x00",
        "pay_01m7zpnckmevrrass6y45fjy5é",
        "pay_" + "0" * 27,
    ],
)
def test_a_malformed_id_is_an_unknown_one(text):
    with pytest.raises(NotFound):
        parse_id("pay", text)
