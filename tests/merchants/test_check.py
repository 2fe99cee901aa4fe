"""Testing a contract's connection: what is kept at the contract, and what is told."""

import pytest
from sqlalchemy import select, text, update

from app.connectors.kinds import Checked, Reached
from app.core.db import ALL, atomic, of, reading
from app.core.ids import public_id
from app.merchants import contracts
from app.merchants.add import CONTRACTS
from app.merchants.check import MOST_PER_MINUTE, CheckedTooOften, check_contract, check_settings
from app.merchants.contracts import SettingNeeded
from tests import factories


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["C"])  # the one whose answers are form-encoded


@pytest.fixture
def row(tenant):
    def read():
        with reading(ALL) as connection:
            query = select(CONTRACTS).where(CONTRACTS.c.id == tenant.contract_id)
            return connection.execute(query).mappings().one()

    return read


@pytest.fixture
def told(tenant):
    def read():
        with reading(ALL) as connection:
            query = text(
                "SELECT subject_type, actor, data FROM events"
                " WHERE merchant_id = :id AND name = 'contract.checked' ORDER BY id"
            )
            return connection.execute(query, {"id": tenant.merchant_id}).mappings().all()

    return read


def test_what_came_of_it_stands_at_the_contract_and_is_told(tenant, row, told):
    assert row()["check_result"] is None
    assert check_contract(row(), actor="staff:ada") == Checked(Reached.WORKS)
    assert row()["check_result"] == "works" and row()["checked_at"] is not None
    assert told() == [
        {
            "subject_type": "contract",
            "actor": "staff:ada",
            "data": {
                "contract": public_id("ctr", tenant.contract_id),
                "provider": "sandbox_card",
                "result": "works",
                "provider_code": None,
            },
        }
    ]


def test_settings_that_changed_meanwhile_are_not_called_tested(tenant, row):
    before = row()
    with atomic(of(tenant.merchant_id, False)) as connection:
        sealed = contracts.sealed_settings(
            "sandbox_card", {"url": "http://127.0.0.1:9", "api_key": "x", "news_secret": "x"}
        )
        where = CONTRACTS.c.id == tenant.contract_id
        connection.execute(update(CONTRACTS).where(where).values(settings_sealed=sealed))
    assert check_contract(before, actor="test").works
    assert row()["check_result"] is None


def test_settings_are_tested_before_they_are_saved_with_the_secrets_stored_before(tenant, row, told, acquirers):
    given = {"url": acquirers["C"].url, "api_key": "", "news_secret": ""}
    about = {"merchant_id": tenant.merchant_id, "live": False, "provider": "sandbox_card", "actor": "test"}
    assert check_settings(**about, given=given, before=row()["settings_sealed"]).works
    wrong = check_settings(**about, given={**given, "api_key": "wrong-key-7s9d"}, before=row()["settings_sealed"])
    assert wrong == Checked(Reached.REFUSED, "wrong_key")
    with pytest.raises(SettingNeeded):
        check_settings(**about, given=given)
    assert row()["check_result"] is None
    assert [one["data"]["result"] for one in told()] == ["works", "refused"]
    assert "wrong-key-7s9d" not in str(told()) and told()[0]["subject_type"] == "merchant"


def test_it_is_not_tested_again_and_again(tenant, row, told):
    for _ in range(MOST_PER_MINUTE):
        check_contract(row(), actor="test")
    with pytest.raises(CheckedTooOften):
        check_contract(row(), actor="test")
    assert len(told()) == MOST_PER_MINUTE


def test_an_acquirer_that_hangs_holds_nobody_up(tenant, row, acquirers):
    acquirers["C"].control(hang=True)
    try:
        assert check_contract(row(), actor="test").result is Reached.UNREACHABLE
    finally:
        acquirers["C"].control(hang=False)
