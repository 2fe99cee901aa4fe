"""What one person alone could turn against everybody: users, roles, factors, rules, keys, endpoints, contracts."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from app.approvals.rules import add_rule
from app.approvals.usual import USUAL
from app.config import settings
from app.core.db import ALL, atomic, reading
from app.core.ids import public_id, uuid7
from app.core.limits import Limit
from app.staff.add import add_user
from app.staff.change import set_active
from app.staff.grant import Given
from app.staff.make_role import add_role
from tests import factories
from tests.admin.desk import PASSWORD, Desk

ASKED = "Asked for. It is done as soon as somebody else has approved it."


def seated(app, given, **more):
    """Somebody at a desk, and their id."""
    email = f"{uuid7().hex[-9:]}@example.com"
    with app.app_context(), atomic(ALL) as connection:
        terms = {"password": PASSWORD, "language": "en", "actor": "test", "name": email, **more}
        user_id = add_user(connection, email=email, roles=[given], **terms)
    desk = Desk(app.test_client())
    assert desk.log_in(email).status == 200
    return desk, user_id


@pytest.fixture(scope="module")
def ada(app):
    return seated(app, Given("admin"))[0]


@pytest.fixture(scope="module")
def bob(app):
    return seated(app, Given("admin"))[0]


@pytest.fixture
def rules(app):
    """rules("rights"): over all merchants, for one test."""

    def add(*actions):
        with app.app_context(), atomic(ALL) as connection:
            for action in actions:
                add_rule(connection, actor="test", merchant_id=None, action=action)

    yield add
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(text("DELETE FROM approval_rules"))


@pytest.fixture
def latest(app):
    """The address of the newest request."""

    def find():
        newest = one(app, "SELECT id FROM approval_requests ORDER BY id DESC LIMIT 1")
        return f"/admin/approvals/{public_id('apr', newest)}"

    return find


def one(app, query, **values):
    with app.app_context(), reading(ALL) as connection:
        return connection.execute(text(query), values).scalar()


def approved(bob, address):
    page = bob.open(address)
    assert bob.send(page, page.form("note")).notes == ["Approved and done."]


class TestUsers:
    def test_a_new_user_is_invited_once_approved(self, app, ada, bob, rules, latest):
        rules("rights")
        email = f"{uuid7().hex[-9:]}@example.com"
        page = ada.open("/admin/users/add")
        asked = ada.send(page, page.form("email"), email=email, name="Puppet", roles=["admin"])
        assert asked.notes == [ASKED]
        found = "SELECT count(*) FROM staff_users WHERE email = :email"
        assert one(app, found, email=email) == 0
        approved(bob, latest())
        assert one(app, found, email=email) == 1
        links = "SELECT count(*) FROM staff_links l JOIN staff_users u ON u.id = l.user_id WHERE email = :email"
        assert one(app, links, email=email) == 1

    def test_somebody_is_let_in_again_once_approved(self, app, ada, bob, rules, latest):
        rules("rights")
        _desk, user_id = seated(app, Given("support"))
        with app.app_context(), atomic(ALL) as connection:
            set_active(connection, user_id, False, actor="test")
        page = ada.open(f"/admin/users/{public_id('usr', user_id)}/switch")
        assert ada.send(page, page.own_form).notes == [ASKED]
        active = "SELECT active FROM staff_users WHERE id = :id"
        assert one(app, active, id=user_id) is False
        approved(bob, latest())
        assert one(app, active, id=user_id) is True

    def test_deactivating_takes_one(self, app, ada, rules):
        rules("rights")
        _desk, user_id = seated(app, Given("support"))
        page = ada.open(f"/admin/users/{public_id('usr', user_id)}/switch")
        ada.send(page, page.own_form)
        assert one(app, "SELECT active FROM staff_users WHERE id = :id", id=user_id) is False

    def test_a_second_factor_is_removed_once_approved_and_not_by_its_owner(self, app, ada, bob, rules, latest):
        rules("rights")
        theirs, user_id = seated(app, Given("admin"))
        page = ada.open(f"/admin/users/{public_id('usr', user_id)}/factor")
        assert ada.send(page, page.own_form).notes == [ASKED]
        told = "SELECT count(*) FROM events WHERE name = 'staff.second_factor_removed' AND subject_id = :id"
        assert one(app, told, id=user_id) == 0
        assert "you would gain by it" in theirs.open(latest()).text
        approved(bob, latest())
        assert one(app, told, id=user_id) == 1


class TestRoles:
    def test_a_role_is_widened_once_approved_by_nobody_who_holds_it(self, app, ada, bob, rules, latest):
        rules("rights")
        with app.app_context(), atomic(ALL) as connection:
            label = f"Role {uuid7().hex[-6:]}"
            name = add_role(connection, label=label, description="", permissions=["role.write", "user.read"], actor="t")
        holder, _ = seated(app, Given(name))
        page = holder.open(f"/admin/roles/{name}/change")
        wider = ["role.write", "user.read", "approval.decide"]
        assert holder.send(page, page.form("label"), permissions=wider).notes[0] == ASKED
        permissions = "SELECT permissions FROM staff_roles WHERE name = :name"
        assert "approval.decide" not in one(app, permissions, name=name)
        approved(bob, latest())
        assert "approval.decide" in one(app, permissions, name=name)

    def test_its_second_factor_is_switched_off_once_approved_and_on_at_once(self, app, ada, bob, rules, latest):
        rules("rights")
        chosen = "SELECT second_factor FROM staff_roles WHERE name = 'accountant'"
        page = ada.open("/admin/roles/")
        ada.send(page, page.form_to("/roles/accountant/second-factor"))
        assert one(app, chosen) is True
        page = ada.open("/admin/roles/")
        assert ada.send(page, page.form_to("/roles/accountant/second-factor")).notes == [ASKED]
        assert one(app, chosen) is True
        approved(bob, latest())
        assert one(app, chosen) is False


class TestRules:
    def test_a_rule_is_removed_by_two(self, app, ada, bob, rules, latest):
        rules("cancel")
        page = ada.open("/admin/approval-rules/")
        assert ada.send(page, page.form_to("/remove")).notes == [ASKED]
        assert one(app, "SELECT count(*) FROM approval_rules") == 1
        approved(bob, latest())
        assert one(app, "SELECT count(*) FROM approval_rules") == 0

    def test_and_by_one_only_where_there_is_nobody_else_which_is_said(self, app, ada, rules):
        rules("cancel")
        with app.app_context(), atomic(ALL) as connection:
            others = text("UPDATE staff_users SET password_set_at = NULL RETURNING id")
            connection.execute(others)
        page = ada.open("/admin/approval-rules/")
        said = ada.send(page, page.form_to("/remove")).notes
        with app.app_context(), atomic(ALL) as connection:
            connection.execute(text("UPDATE staff_users SET password_set_at = now()"))
        assert said == ["The rule is removed. Nobody else could have approved it, so you did it alone."]
        assert one(app, "SELECT count(*) FROM approval_rules") == 0

    def test_somebody_of_one_merchant_makes_rules_for_it_and_touches_no_others(self, app, tenant, rules):
        rules("refund")
        scoped, _ = seated(app, Given("admin", frozenset({tenant.merchant_id})))
        stranger = f"Stranger {uuid7().hex[-6:]}"
        seated(app, Given("support", frozenset({uuid7()})), name=stranger)
        page = scoped.open("/admin/approval-rules/add")
        assert stranger not in page.text
        merchant = public_id("mer", tenant.merchant_id)
        after = scoped.send(page, page.form("action"), action="cancel", merchant=merchant, above="", currency="EUR")
        assert after.notes == ["The rule holds from now on."]
        told = "SELECT merchant_id FROM events WHERE name = 'approval_rule.added' ORDER BY id DESC LIMIT 1"
        assert one(app, told) == tenant.merchant_id
        of_all = one(app, "SELECT id FROM approval_rules WHERE merchant_id IS NULL")
        form = after.form_to("/remove")
        form.action = f"/admin/approval-rules/{public_id('rul', of_all)}/remove"
        refused = scoped.send(after, form)
        assert (refused.status, one(app, "SELECT count(*) FROM approval_rules WHERE merchant_id IS NULL")) == (200, 1)

    def test_the_usual_ones_are_added_with_a_button_and_missed_on_the_start_page(self, app, ada, rules, monkeypatch):
        rules()
        monkeypatch.setattr("admin.screens.start.settings", lambda: replace(settings(), usual_rules=True))
        assert "No rules for approvals" in ada.open("/admin/").text
        page = ada.open("/admin/approval-rules/")
        assert ada.send(page, page.form_to("/usual")).notes == [f"{len(USUAL)} rules are added."]
        assert "No rules for approvals" not in ada.open("/admin/").text
        assert ada.send(page, page.form_to("/usual")).notes == ["These rules are there already."]


class TestKeys:
    def test_a_key_is_rotated_once_approved(self, app, tenant, ada, bob, rules, latest):
        rules("api_key")
        page = ada.open(f"/admin/keys/{public_id('key', tenant.key_id)}/rotate")
        assert ada.send(page, page.own_form).notes == [ASKED]
        ends = "SELECT expires_at FROM api_keys WHERE id = :id"
        assert one(app, ends, id=tenant.key_id) is None
        approved(bob, latest())
        assert one(app, ends, id=tenant.key_id) is not None
        assert one(app, "SELECT count(*) FROM api_keys WHERE lineage = :id", id=tenant.key_id) == 2
        mine = ada.open(latest())
        assert "sk_test_" in ada.send(mine, mine.form_to("/secret")).html

    def test_nobody_issues_a_key_that_may_more_than_they(self, app, tenant):
        limits = {"payment.refund": {"EUR": Limit(50_00, 100_00)}}
        owner, _ = seated(app, Given("merchant_owner", frozenset({tenant.merchant_id}), limits))
        page = owner.open(f"/admin/keys/issue?merchant={public_id('mer', tenant.merchant_id)}")
        form = page.form("name")
        refused = owner.send(page, form, name="Wide")
        assert "your limits for payment.refund are lower" in refused.text
        wanted = {"refund-currency": "EUR", "refund-each": "50,00", "refund-daily": "100,00"}
        shown = owner.send(page, form, name="Narrow", **wanted)
        assert "sk_test_" in shown.html
        stored = "SELECT count(*) FROM api_keys WHERE name = :name"
        assert (one(app, stored, name="Wide"), one(app, stored, name="Narrow")) == (0, 1)

    def test_an_ended_key_is_offered_for_nothing_but_its_end(self, app, tenant, ada):
        page = ada.open(f"/admin/keys/issue?merchant={public_id('mer', tenant.merchant_id)}")
        ada.send(page, page.form("name"), name="Ending")
        key_id = one(app, "SELECT id FROM api_keys WHERE name = 'Ending'")
        address = f"/admin/keys/{public_id('key', key_id)}/rotate"
        form = ada.open(address)
        ada.send(form, form.own_form, overlap="0")
        assert address not in ada.open("/admin/keys/").html
        late = ada.open(address)
        assert ada.send(late, late.own_form).notes[0].startswith("This key has ended already.")


class TestEndpoints:
    @pytest.fixture
    def endpoint(self, ada, app, tenant):
        page = ada.open(f"/admin/endpoints/add?merchant={public_id('mer', tenant.merchant_id)}")
        ada.send(page, page.form("url"), url=f"https://{uuid7().hex[-9:]}.example.com/in")
        return one(app, "SELECT id FROM webhook_endpoints ORDER BY id DESC LIMIT 1")

    def test_it_goes_elsewhere_once_approved_and_a_note_needs_nobody(self, app, ada, bob, rules, latest, endpoint):
        rules("endpoint")
        address = f"/admin/endpoints/{public_id('whe', endpoint)}/change"
        page = ada.open(address)
        assert ada.send(page, page.form("url"), description="Only a note").notes == ["Saved."]
        page = ada.open(address)
        assert ada.send(page, page.form("url"), url="https://elsewhere.example.com/in").notes == [ASKED]
        url = "SELECT url FROM webhook_endpoints WHERE id = :id"
        assert "elsewhere" not in one(app, url, id=endpoint)
        approved(bob, latest())
        assert one(app, url, id=endpoint) == "https://elsewhere.example.com/in"

    def test_its_secret_is_rotated_once_approved(self, app, ada, bob, rules, latest, endpoint):
        rules("endpoint")
        page = ada.open(f"/admin/endpoints/{public_id('whe', endpoint)}")
        assert ada.send(page, page.form_to("/rotate")).notes == [ASKED]
        approved(bob, latest())
        mine = ada.open(latest())
        assert "whsec_" in ada.send(mine, mine.form_to("/secret")).html


class TestContracts:
    def test_a_contract_is_changed_once_approved_its_secrets_unread(self, app, tenant, ada, bob, rules, latest):
        rules("contract")
        address = f"/admin/contracts/{public_id('ctr', tenant.contract_id)}/change"
        page = ada.open(address)
        changed = {"label": "Elsewhere", "setting_api_key": "sk_of_somebody_else"}
        assert ada.send(page, page.form("label"), **changed).notes == [ASKED]
        label = "SELECT label FROM contracts WHERE id = :id"
        assert one(app, label, id=tenant.contract_id) != "Elsewhere"
        seen = bob.open(latest())
        assert "Elsewhere" in seen.text and "(another secret)" in seen.text and "sk_of_somebody_else" not in seen.html
        kept = "SELECT sealed_params IS NOT NULL FROM approval_requests ORDER BY id DESC LIMIT 1"
        assert one(app, kept) is True
        approved(bob, latest())
        assert one(app, label, id=tenant.contract_id) == "Elsewhere"
        assert one(app, kept) is False

    def test_a_new_one_is_added_once_approved(self, app, tenant, ada, bob, rules, latest):
        rules("contract")
        merchant = public_id("mer", tenant.merchant_id)
        page = ada.open(f"/admin/contracts/add?merchant={merchant}&provider=stripe")
        secrets = {"setting_secret_key": "sk_test_1", "setting_webhook_secret": "whsec_1"}
        assert ada.send(page, page.form("label"), label="Another", **secrets).notes == [ASKED]
        found = "SELECT count(*) FROM contracts WHERE label = 'Another'"
        assert one(app, found) == 0
        approved(bob, latest())
        assert one(app, found) == 1

    def test_their_order_is_another_once_approved(self, app, made, tenant, ada, bob, rules, latest):
        rules("contract")
        made(factories.add_contract_to, tenant, "http://127.0.0.1:9", priority=200)
        order = "SELECT label FROM contracts WHERE merchant_id = :id AND active ORDER BY priority DESC LIMIT 1"
        before = one(app, order, id=tenant.merchant_id)
        page = ada.open(f"/admin/methods/{public_id('mer', tenant.merchant_id)}")
        form = next(one for one in reversed(page.forms) if one.action.endswith("/earlier"))
        assert ada.send(page, form).notes == [ASKED]
        assert one(app, order, id=tenant.merchant_id) == before
        approved(bob, latest())
        assert one(app, order, id=tenant.merchant_id) != before


def test_the_page_of_a_request_tells_its_whole_story(app, ada, bob, rules, latest):
    rules("rights")
    page = ada.open("/admin/users/add")
    ada.send(page, page.form("email"), email=f"{uuid7().hex[-9:]}@example.com", name="New", roles=["support"])
    page = bob.open(latest())
    bob.send(page, page.form("body"), body="Who is that?")
    approved(bob, latest())
    story = ada.open(latest()).html.partition('class="timeline"')[2].partition("</ol>")[0]
    places = [story.index(what) for what in ("Approval asked for", "Comment on a request", "Approved", "is done")]
    assert places == sorted(places)


def test_to_decide_is_what_one_may_decide(app, ada, bob, rules, latest):
    rules("rights")
    email = f"{uuid7().hex[-9:]}@example.com"
    page = ada.open("/admin/users/add")
    ada.send(page, page.form("email"), email=email, name="New", roles=["support"])
    supervisor, _ = seated(app, Given("supervisor"))
    address = latest()
    assert address not in ada.open("/admin/approvals/").html, "one's own"
    assert address not in supervisor.open("/admin/approvals/").html, "users are not theirs to add"
    assert address in bob.open("/admin/approvals/").html
    assert address in ada.open("/admin/approvals/?view=waiting").html
