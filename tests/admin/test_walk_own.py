"""Whatever a role sends about things of its own merchant is answered."""

import pytest

from app.core.db import ALL, atomic
from app.staff.add import add_user
from app.staff.grant import Given
from tests import factories
from tests.admin.belongings import belongings
from tests.admin.desk import PASSWORD, Desk
from tests.admin.test_walk import ROLE_NAMES, address
from tests.admin.test_walk_scopes import LIMITS, of_a_merchant


@pytest.fixture(autouse=True)
def _nothing_is_done_silently():
    """An empty form may change nothing and say so: here it is the answer that counts, not what was told."""


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_what_is_sent_about_own_things_is_answered(app, acquirers, role):
    """Empty forms: refused, shown again or done, as it may be; never an error of ours."""
    with app.app_context():
        mine = factories.tenant(acquirers["A"])
        own = belongings(mine)
        with atomic(ALL) as connection:
            granted = [Given(role, frozenset({mine.merchant_id}), LIMITS)]
            email = f"own.{role}@example.com"
            add_user(connection, email=email, password=PASSWORD, roles=granted, name=role, language="en", actor="test")
    desk, wrong = Desk(app.test_client()), []
    desk.log_in(email)
    token = desk.open("/admin/account/").form("name").fields["csrf_token"]
    for rule, method in of_a_merchant(app):
        if method == "POST":
            answer = desk.ask(address(rule, own), method, data={"csrf_token": token})
            if answer.status_code >= 500:
                wrong.append((rule.rule, answer.status_code))
    assert wrong == []
