from collections.abc import Callable
from types import SimpleNamespace

import pytest

from app.approvals.kinds import Asker, asker_of
from app.core.db import ALL, atomic
from app.core.ids import uuid7
from app.core.limits import Limit
from app.staff.access import Staff, staff_of
from app.staff.add import add_user
from app.staff.datastore import StaffDatastore
from app.staff.grant import Given
from tests import factories


@pytest.fixture
def tenant(context, acquirers) -> factories.Tenant:
    return factories.tenant(acquirers["A"])


@pytest.fixture
def someone(context) -> Callable[..., Staff]:
    """A staff member: someone("refund_desk", limits={"payment.refund": {"EUR": Limit(each=100)}})."""

    def make(role: str, *, merchants=None, limits=None, grants=None) -> Staff:
        with atomic(ALL) as connection:
            user_id = add_user(
                connection,
                email=f"{uuid7().hex[-12:]}@example.com",
                password="ein-langes-passwort",
                roles=grants or [Given(role, merchants, limits or {})],
                actor="test",
            )
        return staff_of(StaffDatastore().find_user(id=user_id))

    return make


@pytest.fixture
def desk(someone, tenant) -> SimpleNamespace:
    """A maker who may refund up to 100 EUR at a time and 150 EUR a day, and a checker."""
    limits = {"payment.refund": {"EUR": Limit(100_00, 150_00)}, "payment.capture": {"EUR": Limit(100_00, None)}}
    return SimpleNamespace(maker=someone("operator", limits=limits), checker=someone("supervisor"))


def asker(staff: Staff) -> Asker:
    return asker_of(staff)
