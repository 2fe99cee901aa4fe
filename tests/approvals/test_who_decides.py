"""Nobody decides who is too close, and nothing is done for somebody who may not ask for it any more."""

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from app.approvals import ask, decide
from app.approvals.approvers import approvers
from app.approvals.kinds import Asker
from app.approvals.rules import add_rule
from app.approvals.sweep import sweep
from app.connectors.kinds import DisputeNews
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.core.ids import public_id, uuid7
from app.core.limits import UNLIMITED, Limit
from app.merchants import keys
from app.payments.capture import AuthorisationExpired, NothingToCapture
from app.payments.queries import AUTHORISATIONS
from app.payments.refund import refund
from app.staff.add import USERS
from app.staff.change import change_roles, set_active, set_password
from app.staff.grant import Given
from app.staff.invite import invite
from tests import factories
from tests.approvals.conftest import asker
from tests.approvals.test_money import _capture, _request, _whom, refunded
from tests.books import told

OVER = Limit(each=100_00)


def a_key(tenant, issuer, **more):
    """An asker with a key that `issuer` was shown."""
    with atomic(ALL) as connection:
        whose = {"merchant_id": tenant.merchant_id, "live": False}
        key_id, _ = keys.issue(connection, name="shop", actor=issuer.actor, **whose, **more)
    return Asker(f"key:{public_id('key', key_id)}", lambda *_: UNLIMITED, key_id=key_id, strict=True), key_id


def by_key(tenant, key, amount=120_00):
    with atomic(ALL) as connection:
        add_rule(connection, actor="test", merchant_id=tenant.merchant_id, action="refund")
    done = factories.captured(tenant, 200_00)
    whom = {**_whom(tenant, done, None), "actor": key.actor}
    assert refund(**whom, amount=amount, permit=ask.permit(key)).operation["state"] == "pending_approval"
    return done


def test_whoever_was_shown_a_keys_secret_does_not_approve_what_it_asks_for(tenant, someone):
    issuer, rotator, other = (someone("merchant_owner", merchants=frozenset({tenant.merchant_id})) for _ in range(3))
    key, key_id = a_key(tenant, issuer)
    with atomic(ALL) as connection:
        keys.rotate(connection, key_id, overlap=timedelta(hours=1), actor=rotator.actor)
    done = by_key(tenant, key)
    request = _request(done)
    with reading(ALL) as connection:
        able = {one.id for one in approvers(connection, request)}
    assert other.id in able and not {issuer.id, rotator.id} & able
    for checker in (issuer, rotator):
        with pytest.raises(decide.TooInvolved):
            decide.approve(_request(done)["id"], checker, scope=of(tenant.merchant_id, False))
    assert factories.fresh(done)["refunded"] == 0
    assert decide.approve(_request(done)["id"], other, scope=of(tenant.merchant_id, False))["state"] == "executed"
    assert factories.fresh(done)["refunded"] == 120_00


def test_nobody_approves_more_rights_for_themselves(someone):
    boss, climber, other = someone("admin"), someone("admin"), someone("admin")
    after = [Given("admin").told(), Given("support").told()]
    with atomic(ALL) as connection:
        whose = {"merchant_id": None, "live": None, "subject_id": climber.id}
        asked = ask.ask(connection, "rights", asker(boss), **whose, params={"after": after}, always=True)
    assert asked is not None
    with pytest.raises(decide.TooInvolved):
        decide.approve(asked, climber, scope=ALL)
    assert decide.approve(asked, other, scope=ALL)["state"] == "executed"


def test_who_has_never_come_is_nobody_who_could_approve(tenant, someone):
    maker, done = someone("operator", limits={"payment.refund": {"EUR": OVER}}), factories.captured(tenant, 200_00)
    with atomic(ALL) as connection:
        connection.execute(update(USERS).values(active=False))
        invited = invite(connection, email=f"{uuid7().hex[-9:]}@example.com", roles=["supervisor"], actor="test")
    with pytest.raises(ask.NobodyCanApprove):
        refunded(tenant, done, 120_00, maker)
    with atomic(ALL) as connection:
        set_password(connection, invited, "ein-anderes-passwort-für-mich", actor="test")
    assert refunded(tenant, done, 120_00, maker).operation["state"] == "pending_approval"


def test_a_second_factor_that_is_asked_for_must_be_there(tenant, someone):
    maker, done = someone("operator", limits={"payment.refund": {"EUR": OVER}}), factories.captured(tenant, 200_00)
    with atomic(ALL) as connection:
        connection.execute(update(USERS).values(active=False))
    someone("supervisor")
    with atomic(ALL) as connection:
        connection.execute(text("UPDATE staff_roles SET second_factor = true WHERE name = 'supervisor'"))
    with pytest.raises(ask.NobodyCanApprove):
        refunded(tenant, done, 120_00, maker)
    with atomic(ALL) as connection:
        connection.execute(text("UPDATE staff_roles SET second_factor = NULL"))


@pytest.mark.parametrize("loses", ["activity", "right"])
def test_a_request_does_not_outlive_the_rights_of_its_maker(tenant, desk, someone, loses):
    someone("admin")
    done = factories.captured(tenant, 200_00)
    refunded(tenant, done, 120_00, desk.maker)
    with atomic(ALL) as connection:
        if loses == "activity":
            set_active(connection, desk.maker.id, False, actor="test")
        else:
            change_roles(connection, desk.maker.id, ["support"], actor="test")
    with pytest.raises(decide.MakerGone):
        decide.approve(_request(done)["id"], desk.checker, scope=ALL)
    payment = factories.fresh(done)
    assert (_request(done)["state"], payment["refunded"], payment["refund_pending"]) == ("stale", 0, 0)
    assert told(done.payment["id"])[-2:] == ["refund.withdrawn", "approval.stale"]


def test_nor_the_key_it_was_made_with_but_its_successor_speaks_for_it(tenant, someone):
    issuer, checker = someone("merchant_owner", merchants=frozenset({tenant.merchant_id})), someone("supervisor")
    key, key_id = a_key(tenant, issuer)
    rotated = by_key(tenant, key)
    with atomic(ALL) as connection:
        new_id, _ = keys.rotate(connection, key_id, overlap=timedelta(0), actor=issuer.actor)
    assert decide.approve(_request(rotated)["id"], checker, scope=ALL)["state"] == "executed"
    heir = Asker(f"key:{public_id('key', new_id)}", lambda *_: UNLIMITED, key_id=key_id, strict=True)
    revoked = by_key(tenant, heir)
    keys.revoke(tenant.merchant_id, False, new_id, actor=issuer.actor)
    sweep(100)
    assert (_request(revoked)["state"], factories.fresh(revoked)["refunded"]) == ("stale", 0)


def test_a_dispute_that_was_opened_meanwhile_closes_a_refund(tenant, desk):
    done = factories.captured(tenant, 200_00)
    refunded(tenant, done, 120_00, desk.maker)
    reference = factories.authorisation_of(done)["provider_reference"]
    news = DisputeNews(turn="inquiry", provider_reference="case-inq", reason="fraudulent")
    more = {"reference": reference, "dispute": news, "authorisation_reference": reference}
    assert factories.hear(tenant, done, "dispute", "approved", 20_000, **more)
    with pytest.raises(decide.NoLongerTrue):
        decide.approve(_request(done)["id"], desk.checker, scope=ALL)
    payment = factories.fresh(done)
    assert (_request(done)["state"], payment["refunded"], payment["refund_pending"]) == ("stale", 0, 0)


def test_the_verbs_own_check_is_asked_again(tenant, desk):
    done = factories.authorised(tenant, 200_00)
    _capture(tenant, done, desk.maker)
    with atomic(ALL) as connection:
        ended = update(AUTHORISATIONS).where(AUTHORISATIONS.c.payment_id == done.payment["id"])
        connection.execute(ended.values(expires_at=text("now() - interval '1 minute'")))
    with pytest.raises(AuthorisationExpired):
        decide.approve(_request(done)["id"], desk.checker, scope=ALL)
    assert (_request(done)["state"], factories.fresh(done)["capture_pending"]) == ("stale", 0)
    with pytest.raises((AuthorisationExpired, NothingToCapture)):
        _capture(tenant, done, desk.maker)


def test_what_would_be_born_expired_is_refused_in_words(tenant, desk):
    done = factories.authorised(tenant, 200_00)
    with atomic(ALL) as connection:
        soon = update(AUTHORISATIONS).where(AUTHORISATIONS.c.payment_id == done.payment["id"])
        connection.execute(soon.values(expires_at=text("now() + interval '50 minutes'")))
    with pytest.raises(ask.TooLateToAsk):
        _capture(tenant, done, desk.maker)
    assert factories.fresh(done)["capture_pending"] == 0


def test_it_is_the_merchants_time_that_counts(tenant, desk):
    done = factories.authorised(tenant, 200_00)
    ends = factories.authorisation_of(done)["expires_at"]
    factories.move_clock(tenant, days=(ends - now()).days - 1)  # a day and a bit is left
    _capture(tenant, done, desk.maker)
    assert now() + timedelta(hours=22) < _request(done)["expires_at"] < now() + timedelta(hours=48)
