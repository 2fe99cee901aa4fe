"""Who gets which mail, and that it says the truth."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.clock import now, replaying
from app.core.db import ALL, atomic, reading
from app.core.reactions import repeat_failed
from app.merchants.add import SHOPS, change
from app.messages import mail, queries
from app.messages.health import warn_failing
from app.messages.send_mails import send_mails
from app.payments.capture import capture
from app.payments.refund import refund
from app.staff.grant import Given
from jobs import forget
from tests import factories
from tests.messages import steps
from tests.messages.steps import endpoint, happen, relay_all, send_out, time_passes
from tests.staff.people import row, somebody
from tools.translations import compile_

pytestmark = pytest.mark.usefixtures("context")

# A PNG of one pixel.
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@pytest.fixture(scope="module", autouse=True)
def _translated():
    compile_()


@pytest.fixture
def shop(context, acquirers):
    """Makes a merchant whose one shop has these columns."""
    steps.nothing_waits()
    relay_all()
    steps.nothing_waits()

    def make(**columns):
        return factories.tenant(acquirers["A"], **columns)

    return make


def test_the_shop_is_told_of_each_step_in_its_language(shop, mailbox):
    tenant = shop(notify_email="shop@example.com", language="de")
    payment = factories.authorised(tenant, 10_000, shop_id=tenant.shop_id, merchant_reference="Bestellung 17").payment
    capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment["id"], amount=2_500, actor="test")
    capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment["id"], actor="test")
    refund(merchant_id=tenant.merchant_id, live=False, payment_id=payment["id"], amount=499, actor="test")
    assert _sent() == 4
    subjects = [message["Subject"] for message in mailbox.to("shop@example.com")]
    assert subjects == [
        "[Test] Neue Zahlung über 100,00 € – Bestellung 17",
        "[Test] 25,00 € eingezogen – Bestellung 17",
        "[Test] 75,00 € eingezogen – Bestellung 17",
        "[Test] 4,99 € erstattet – Bestellung 17",
    ]
    plain, html = _bodies(mailbox.messages[1])
    for body in (plain, html):
        assert "insgesamt jetzt 25,00\xa0€ von 100,00\xa0€" in body
        assert "Visa •••• 4242" in body
    assert "http" not in html.replace("http-equiv", "")  # nothing is loaded from elsewhere


def test_english_shops_get_english(shop, mailbox):
    tenant = shop(notify_email="shop@example.com", language="en")
    factories.authorised(tenant, 123_456, shop_id=tenant.shop_id, merchant_reference="order-9")
    _sent()
    assert mailbox.messages[0]["Subject"] == "[Test] New payment of €1,234.56 – order-9"


def test_history_is_told_to_nobody(shop, mailbox):
    tenant = shop(notify_email="shop@example.com", payer_receipts=True)
    with replaying(now() - timedelta(days=4)):
        factories.authorised(tenant, shop_id=tenant.shop_id)
    assert _sent() == 0


def test_a_shop_without_an_address_gets_nothing(shop, mailbox):
    tenant = shop()
    factories.authorised(tenant, shop_id=tenant.shop_id)
    assert _sent() == 0


def test_a_payment_without_a_shop_belongs_to_the_only_one(shop, mailbox):
    tenant = shop(notify_email="shop@example.com")
    factories.authorised(tenant)
    assert _sent() == 1


def test_a_shop_can_choose_its_events(shop, mailbox):
    tenant = shop(notify_email="shop@example.com", notify_events=["payment.created", "capture.succeeded"])
    payment = factories.authorised(tenant, shop_id=tenant.shop_id, merchant_reference="order-1").payment
    capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment["id"], actor="test")
    _sent()
    subjects = [message["Subject"] for message in mailbox.messages]
    assert subjects == ["[Test] Zahlung angelegt – order-1", "[Test] 100,00 € eingezogen – order-1"]


@pytest.mark.parametrize(
    ("language", "why"), [("de", "Zu wenig Geld auf dem Konto"), ("en", "Not enough money on the account")]
)
def test_why_a_payment_was_declined_is_said_in_words(shop, mailbox, language, why):
    tenant = shop(notify_email="shop@example.com", notify_events=["authorisation.declined"], language=language)
    factories.authorised(tenant, shop_id=tenant.shop_id, card=factories.card("insufficient_funds"))
    _sent()
    [message] = mailbox.messages
    for body in _bodies(message):
        assert why in body and "insufficient_funds" not in body


def test_the_payer_gets_a_receipt_and_a_refund_notice_if_the_shop_wants_it(shop, mailbox):
    tenant = shop(payer_receipts=True, notify_email=None, imprint_url="https://shop.example/imprint")
    payment = factories.authorised(tenant, 4_990, shop_id=tenant.shop_id, merchant_reference="A-1").payment
    capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment["id"], actor="test")
    refund(merchant_id=tenant.merchant_id, live=False, payment_id=payment["id"], amount=990, actor="test")
    assert _sent() == 2
    receipt, notice = mailbox.to("erika@example.com")
    name = _column(tenant, "name")
    assert receipt["Subject"] == f"[Test] Ihre Zahlung an {name}: 49,90 €"
    assert receipt["From"].startswith(f"{name} <")
    assert "Guten Tag Erika Muster," in _bodies(receipt)[0]
    assert notice["Subject"] == f"[Test] {name} erstattet Ihnen 9,90 €"


def test_a_declined_payer_gets_no_receipt(shop, mailbox):
    tenant = shop(payer_receipts=True)
    happen(tenant.merchant_id, "authorisation.declined")
    assert _sent() == 0


def test_names_cannot_add_headers_or_markup(shop, mailbox):
    tenant = shop(notify_email="shop@example.com", payer_receipts=True)
    with atomic(ALL) as connection:
        change(connection, SHOPS, tenant.shop_id, {"name": "<b>Shop</b> & Co"}, noun="shop", actor="test")
    factories.authorised(tenant, shop_id=tenant.shop_id, merchant_reference="x\r\nBcc: evil@example.com <script>")
    _sent()
    for message in mailbox.messages:
        assert message["Bcc"] is None and "evil" not in str(message["To"])
        assert "<script>" not in _bodies(message)[1] and "<b>Shop" not in _bodies(message)[1]


def test_the_logo_travels_inside(shop, mailbox):
    tenant = shop(payer_receipts=True, logo=DOT, logo_type="image/png", accent="#b3261e")
    factories.authorised(tenant, shop_id=tenant.shop_id)
    _sent()
    [message] = mailbox.messages
    images = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert images[0]["Content-ID"] == "<logo>" and images[0].get_content() == DOT
    html = _bodies(message)[1]
    assert 'src="cid:logo"' in html and "#b3261e" in html and "color-scheme" in html


def test_headers_say_what_it_is(shop, mailbox):
    tenant = shop(notify_email="shop@example.com", payer_receipts=True)
    factories.authorised(tenant, shop_id=tenant.shop_id)
    _sent()
    [to_shop], [to_payer] = mailbox.to("shop@example.com"), mailbox.to("erika@example.com")
    for message in (to_shop, to_payer):
        assert message["Date"] and message["Message-ID"].endswith("@zahlwerk.example>")
        assert message["Auto-Submitted"] == "auto-generated"
    assert to_shop["List-Id"] and to_payer["List-Id"] is None
    assert to_payer["Reply-To"] == "shop@example.com"


def test_the_merchant_is_mailed_once_when_an_endpoint_fails(shop, mailbox, receiver):
    tenant = shop()
    endpoint(tenant.merchant_id, f"{receiver.url}/hook")
    receiver.answers["/hook"] = 500
    happen(tenant.merchant_id, "capture.pending")
    send_out()
    time_passes(timedelta(minutes=61), tenant.merchant_id)
    for _ in range(3):
        warn_failing()
        _sent()
    [message] = mailbox.messages
    assert message["To"].startswith("m") and message["To"].endswith("@example.com")
    assert message["Subject"] == f"[Test] Webhook-Adresse gestört: {receiver.url}/hook"
    assert "HTTP 500" in _bodies(message)[0]


def _failing_endpoint_of(tenant, receiver) -> None:
    """Told as failing; the merchant has no address of its own."""
    with atomic(ALL) as connection:
        connection.execute(text("UPDATE merchants SET email = NULL WHERE id = :id"), {"id": tenant.merchant_id})
    endpoint(tenant.merchant_id, f"{receiver.url}/hook")
    receiver.answers["/hook"] = 500
    happen(tenant.merchant_id, "capture.pending")
    send_out()
    time_passes(timedelta(minutes=61), tenant.merchant_id)
    warn_failing()


def _set_aside(tenant) -> list[str]:
    with reading(ALL) as connection:
        query = "SELECT f.error FROM failed_reactions f JOIN events v ON v.id = f.event_id WHERE v.merchant_id = :id"
        return list(connection.execute(text(query), {"id": tenant.merchant_id}).scalars())


def test_a_merchant_without_any_address_is_told_through_its_own_people(shop, mailbox, receiver):
    tenant = shop(notify_email=None)
    theirs = frozenset({tenant.merchant_id})
    own = row(somebody(Given("merchant_owner", theirs), language="en"))["email"]
    for other in ("admin", Given("merchant_viewer", theirs)):
        somebody(other)
    _failing_endpoint_of(tenant, receiver)
    _sent()
    assert [message["To"] for message in mailbox.messages] == [own]
    [message] = mailbox.messages
    assert message["Subject"] == f"[Test] Webhook endpoint is failing: {receiver.url}/hook"
    assert "because you may change this merchant's webhook endpoints" in _bodies(message)[0].replace("\n", " ")
    assert _set_aside(tenant) == []


def test_a_merchant_without_people_is_told_through_those_who_look_after_all(shop, mailbox, receiver):
    tenant, anybody = shop(notify_email=None), row(somebody("admin"))["email"]
    _failing_endpoint_of(tenant, receiver)
    _sent()
    assert anybody in [message["To"] for message in mailbox.messages]


def test_if_there_is_nobody_to_tell_the_staff_see_it_and_it_is_told_later(shop, mailbox, receiver):
    tenant = shop(notify_email=None)
    with atomic(ALL) as connection:
        connection.execute(text("UPDATE staff_users SET active = false"))
    _failing_endpoint_of(tenant, receiver)
    assert _sent() == 0
    assert _set_aside(tenant) == ["app.messages.mail.NobodyToTell: endpoint.failing"]
    assert repeat_failed(10) == 0
    late = row(somebody(Given("merchant_owner", frozenset({tenant.merchant_id}))))["email"]
    assert repeat_failed(10) == 1
    assert send_mails() == 1
    assert [message["To"] for message in mailbox.messages] == [late]
    assert _set_aside(tenant) == []


def test_a_mail_that_cannot_be_written_is_kept_and_written_when_it_can(shop, mailbox, monkeypatch):
    """The second mail of three; the others are not held up."""
    tenant = shop(notify_email="shop@example.com", language="de")
    payment = factories.authorised(tenant, 10_000, shop_id=tenant.shop_id, merchant_reference="B-1").payment
    whole = mail._row

    def broken(row, *wanted):
        if row["data"]["amount"] == 2_500:
            raise ZeroDivisionError("a fault")
        return whole(row, *wanted)

    for amount in (2_500, 7_500):
        capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment["id"], amount=amount, actor="test")
    with monkeypatch.context() as fault:
        fault.setattr(mail, "_row", broken)
        assert _sent() == 2
        assert _set_aside(tenant) == ["ZeroDivisionError: a fault"]
        assert repeat_failed(10) == 0
    assert repeat_failed(10) == 1
    assert send_mails() == 1
    assert [message["Subject"] for message in mailbox.messages][-1] == "[Test] 25,00 € eingezogen – B-1"
    assert _set_aside(tenant) == []


def test_what_was_said_to_whom_is_sealed_and_cleared_a_day_after(shop, mailbox):
    tenant = shop(payer_receipts=True)
    payment = factories.authorised(tenant, shop_id=tenant.shop_id).payment
    _sent()
    with reading(ALL) as connection:
        everything = connection.execute(
            text("SELECT mails::text FROM mails WHERE merchant_id = :id"), {"id": tenant.merchant_id}
        ).scalar_one()
        _, [shown] = queries.told_of_payment(connection, payment["id"])
    assert "erika" not in everything.lower() and b"erika".hex() not in everything
    assert shown["summary"] == {"to": "payer", "event": "authorisation.succeeded", "language": "de"}
    forget.run(1)
    assert _sealed(tenant) is not None
    time_passes(timedelta(hours=25), tenant.merchant_id)
    forget.run(1)
    assert _sealed(tenant) is None


def test_one_event_makes_one_mail_however_often_it_is_read(shop, mailbox):
    tenant = shop(notify_email="shop@example.com")
    factories.authorised(tenant, shop_id=tenant.shop_id)
    assert _sent() == 1
    assert _sent() == 0
    assert len(mailbox.messages) == 1


def _sent() -> int:
    relay_all()
    return send_mails()


def _bodies(message) -> tuple[str, str]:
    return message.get_body(("plain",)).get_content(), message.get_body(("html",)).get_content()


def _column(tenant, name):
    with reading(ALL) as connection:
        return connection.execute(text(f"SELECT {name} FROM shops WHERE id = :id"), {"id": tenant.shop_id}).scalar_one()


def _sealed(tenant):
    with reading(ALL) as connection:
        return connection.execute(
            text("SELECT sealed FROM mails WHERE merchant_id = :id"), {"id": tenant.merchant_id}
        ).scalar_one()
