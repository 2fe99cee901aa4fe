"""Taking somebody off the block list can need a second person."""

import pytest

from app.approvals import ask, decide
from app.approvals.kinds import asker_of
from app.approvals.rules import add_rule
from app.core.db import ALL, atomic, of, reading
from app.core.errors import NotFound
from app.risk import block


@pytest.fixture
def entry(tenant):
    with atomic(ALL) as connection:
        who = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
        entry_id = block.block(connection, **who, blocked=block.email("bad@example.org"), reason="chargebacks")
        add_rule(connection, actor="test", merchant_id=tenant.merchant_id, action="unblock")
    return entry_id


@pytest.fixture
def asked(tenant, entry, someone):
    """The request of a supervisor's."""
    maker = someone("supervisor")
    someone("admin")  # there is somebody who can say yes
    with atomic(of(tenant.merchant_id, False)) as connection:
        asker = asker_of(maker)
        whose = {"merchant_id": tenant.merchant_id, "live": False, "subject_id": entry}
        params = {"entry": "b…@example.org", "reason": "a mistake"}
        return ask.ask(connection, "unblock", asker, **whose, params=params)


def still_there(entry):
    with reading(ALL) as connection:
        try:
            return bool(block.read(connection, entry))
        except NotFound:
            return False


def test_it_stays_until_somebody_else_says_yes(entry, asked, someone):
    assert asked is not None and still_there(entry)
    assert decide.approve(asked, someone("supervisor"), scope=ALL)["state"] == "executed"
    assert not still_there(entry)


def test_an_entry_that_is_gone_already_makes_the_request_out_of_date(tenant, entry, asked, someone):
    with atomic(of(tenant.merchant_id, False)) as connection:
        block.unblock(connection, entry_id=entry, reason="by another way", actor="test")
    with pytest.raises(decide.NoLongerTrue):
        decide.approve(asked, someone("supervisor"), scope=ALL)
