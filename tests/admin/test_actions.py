"""Capturing, refunding, cancelling and releasing by hand."""

from datetime import timedelta

import pytest
from flask import g
from sqlalchemy import select, text, update

from admin.effects import captures
from admin.here import arrive, leave
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.idempotency import Once
from app.core.ids import public_id, uuid7
from app.core.limits import Limit
from app.payments import capture
from app.payments.permit import always
from app.payments.possible import Offer, Possible
from app.payments.queries import OPERATIONS
from app.payments.resolve import resolve
from app.staff.add import add_user
from app.staff.grant import Given
from app.staff.make_role import add_role
from sandbox.acquirers.cards import AMOUNTS
from tests import factories
from tests.admin.desk import PASSWORD, Desk, user
from tests.books import booked, told
from tests.connectors.peers import paypal
from tests.payments import wallets


@pytest.fixture
def story(app):
    """What was told about a payment, and what was booked."""

    def of(done):
        with app.app_context():
            return told(done.payment["id"]), booked(done.payment["id"])

    return of


@pytest.fixture
def operations(app):
    """(kind, state, amount, actor, reason) of a payment's operations but the authorisation."""

    def of(done):
        with app.app_context(), reading(ALL) as connection:
            rows = connection.execute(
                select(OPERATIONS).where(OPERATIONS.c.payment_id == done.payment["id"]).order_by(OPERATIONS.c.id)
            ).mappings()
            return [tuple(row[name] for name in ("kind", "state", "amount", "actor", "reason")) for row in rows][1:]

    return of


def test_a_capture_is_filled_in_with_what_is_left_and_shown_at_once(made, tenant, desk, page_of, story, operations):
    done = made(factories.authorised, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/capture")
    assert page.form("amount").fields["amount"] == "50.00"
    assert "€50.00 is taken from Visa •••• 4242. Nothing stays reserved." in page.text
    after = desk.send(page, page.form("amount"), reason="shipped")
    assert after.path == page_of(done)
    assert after.notes == ["€50.00 captured."]
    assert "Captured and kept €50.00" in after.text
    events, books = story(done)
    assert events[-2:] == ["capture.submitted", "capture.succeeded"]
    assert books == {"provider_balance": 5_000, "payer_clearing": -5_000}
    assert operations(done)[0][3].startswith("staff:usr_") and operations(done)[0][4] == "shipped"


@pytest.mark.parametrize("typed", ["12,50", "12.50", " 12,50 € "])
def test_a_changed_amount_is_stated_before_it_is_done(made, tenant, desk, page_of, operations, typed):
    done = made(factories.authorised, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/capture")
    stated = desk.send(page, page.form("amount"), amount=typed)
    assert operations(done) == [], "nothing is done before its effect was shown"
    assert "€12.50 is taken from Visa •••• 4242. After that €37.50 can still be captured." in stated.text
    after = desk.send(stated, stated.form("amount"))
    assert after.notes == ["€12.50 captured."]
    assert operations(done)[0][:3] == ("capture", "succeeded", 1_250)


def test_what_the_page_says_while_one_types(made, tenant, desk, page_of):
    address = f"{page_of(made(factories.authorised, tenant, 5_000))}/capture/effect"
    said = desk.ask(f"{address}?amount=20").get_json()
    assert said["sentence"].replace("\xa0", " ") == (
        "€20.00 is taken from Visa •••• 4242. After that €30.00 can still be captured."
    )
    assert (said["ok"], said["stated"], said["button"]) == (True, "2000", "Capture €20.00")
    assert desk.ask(f"{address}?amount=20&final=1").get_json()["stated"] == "2000f"
    assert desk.ask(f"{address}?amount=51").get_json() == {
        "ok": False,
        "stated": "",
        "button": "Check",
        "sentence": "Only €50.00 is left. Type that much or less.",
    }
    assert desk.ask(f"{address}?amount=1.234").get_json()["ok"] is False


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Type an amount."),
        ("0", "The amount must be more than zero."),
        ("-5", "“-5” is not an amount. Type it like 12,50 or 12.50."),
        ("abc", "“abc” is not an amount. Type it like 12,50 or 12.50."),
        ("1.234", "“1.234” can be read in two ways. Write the decimals too, for example 1.234,00."),
        ("50,01", "Only €50.00 is left. Type that much or less."),
        ("999999999999", "“999999999999” is not an amount. Type it like 12,50 or 12.50."),
    ],
)
@pytest.mark.parametrize("verb", ["capture", "refund"])
def test_a_wrong_amount_is_said_at_its_field_and_stays_as_typed(
    made, tenant, desk, page_of, operations, verb, typed, said
):
    done = made(factories.authorised if verb == "capture" else factories.captured, tenant, 5_000)
    before = operations(done)
    page = desk.open(f"{page_of(done)}/{verb}")
    wrong = desk.send(page, page.form("amount"), amount=typed, reason="why not")
    assert [error for error in wrong.errors if said in error], wrong.errors
    assert wrong.form("amount").fields["amount"] == typed.strip()
    assert wrong.form("amount").fields["reason"] == "why not"
    assert wrong.title.startswith("Error:")
    assert operations(done) == before


def test_a_form_sent_twice_works_once(made, tenant, desk, page_of, operations):
    done = made(factories.authorised, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/capture")
    half = desk.send(page, page.form("amount"), amount="20,00")
    first, second = (desk.send(half, half.form("amount")) for _ in range(2))
    assert first.notes == ["€20.00 captured."]
    assert second.notes == ["This form was sent before and is done already. Here is the payment as it is now."]
    assert [one[:3] for one in operations(done)] == [("capture", "succeeded", 2_000)]


def test_going_back_and_changing_a_sent_form_does_nothing_more(made, tenant, desk, page_of, operations):
    done = made(factories.authorised, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/capture")
    half = desk.send(page, page.form("amount"), amount="20,00")
    desk.send(half, half.form("amount"))
    again = desk.send(half, half.form("amount"), amount="30.00", stated="3000")
    assert again.notes == ["This form was sent before and is done already. Here is the payment as it is now."]
    assert len(operations(done)) == 1


def test_a_second_press_while_the_first_is_under_way_says_so(app, made, tenant, desk, page_of, operations):
    """The first has reserved all there is: it is not the second that finds nothing left."""
    done = made(factories.authorised, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/capture")
    number = page.form("amount").fields["nonce"].partition(".")[0]
    once = Once(f"form:{number}", f"capture {done.payment['id']}", b"5000|False|")
    wanted = {"amount": None, "final": False, "reason": "", "lines": None, "permit": always, "operation_id": uuid7()}
    with app.app_context():
        capture._prepare(tenant.merchant_id, False, done.payment["id"], "test", once, wanted)
    second = desk.send(page, page.form("amount"))
    assert second.notes == ["This form was sent before, and is being worked on just now. Look again in a moment."]
    assert [one[:3] for one in operations(done)] == [("capture", "submitted", 5_000)]


def test_a_second_press_tells_what_came_of_the_first(made, tenant, desk, page_of, acquirers):
    done = made(factories.authorised, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/capture")
    acquirers["A"].control(next="garbled")
    first, second = (desk.send(page, page.form("amount")) for _ in range(2))
    assert second.notes == ["This form was sent before. This is what came of it:", *first.notes]


def test_a_form_for_another_payment_or_of_another_user_is_refused(app, made, tenant, desk, page_of, operations):
    one, other = (made(factories.authorised, tenant, 5_000) for _ in range(2))
    form = desk.open(f"{page_of(one)}/capture").form("amount")
    page = desk.open(f"{page_of(other)}/capture")
    crossed = desk.send(page, page.form("amount"), nonce=form.fields["nonce"])
    assert crossed.status == 400
    with app.app_context():
        email = user("operator", email="colleague@example.com")
    colleague = Desk(app.test_client())
    colleague.log_in(email)
    theirs = colleague.open(f"{page_of(one)}/capture")
    assert colleague.send(theirs, theirs.form("amount"), nonce=form.fields["nonce"]).status == 400
    assert operations(one) == operations(other) == []


def test_the_last_capture_gives_the_rest_back(made, tenant, desk, page_of, story):
    done = made(factories.authorised, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/capture")
    stated = desk.send(page, page.form("amount"), amount="20", final="y")
    assert "The remaining €30.00 goes back to the payer." in stated.text
    after = desk.send(stated, stated.form("amount"))
    assert "€20.00 captured." in after.notes
    assert story(done)[1] == {"provider_balance": 2_000, "payer_clearing": -2_000}


def test_of_a_provider_that_captures_once_the_effect_warns(app):
    payment = {"currency": "EUR", "method": "card", "brand": "visa", "last4": "4242"}
    can = Possible(Offer(5_000), Offer(), Offer(), Offer(), captures_once=True)
    with app.test_request_context("/admin/"):
        arrive().language = g.language = "en"
        part, whole = (captures(payment, can, minor, final=False) for minor in (2_000, 5_000))
        leave()
    assert part.sentence.endswith("This provider captures only once: the remaining €30.00 goes back to the payer.")
    assert (part.warn, part.ok) == (True, True)
    assert whole.sentence.endswith("Nothing stays reserved.") and not whole.warn


def test_where_the_rest_is_not_given_back_the_effect_says_so(app):
    payment = {"currency": "EUR", "method": "card", "brand": "visa", "last4": "4242"}
    can = Possible(Offer(5_000), Offer(), Offer(), Offer(), keeps_rest=True, rest_lapses=True)
    with app.test_request_context("/admin/"):
        arrive().language = g.language = "en"
        last, part = (captures(payment, can, 2_000, final=final) for final in (True, False))
        leave()
    assert last.sentence.endswith("The remaining €30.00 is not taken any more; the payer's bank frees it in time.")
    assert last.warn and part.sentence.endswith("After that €30.00 can still be captured.")


def test_part_of_a_payment_goes_back(made, tenant, desk, page_of, story, operations):
    done = made(factories.captured, tenant, 1_990)
    page = desk.open(f"{page_of(done)}/refund")
    assert page.form("amount").fields["amount"] == "19.90"
    stated = desk.send(page, page.form("amount"), amount="12,50", reason="return")
    assert "€12.50 goes back to Visa •••• 4242. After that €7.40 can still be refunded." in stated.text
    after = desk.send(stated, stated.form("amount"))
    assert after.notes == ["€12.50 refunded."]
    assert "Partly refunded" in after.text
    assert story(done)[0][-2:] == ["refund.submitted", "refund.succeeded"]
    assert story(done)[1] == {"provider_balance": 740, "payer_clearing": -740}
    assert operations(done)[-1][0::4] == ("refund", "return")


def test_a_refund_over_several_captures_is_told_as_one(made, tenant, desk, page_of, story):
    with paypal.peer() as wallet:
        made(wallets.add_wallet, tenant, wallet)
        act = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
        done = made(wallets.authorised, act, 10_000)
        for amount in (4_000, 3_000):
            newest = made(capture.capture, **act, payment_id=done.payment["id"], amount=amount)
        after = _refunded(desk, page_of(done), "50.00")
        assert after.notes == ["€50.00 refunded."]
        paypal.control(wallet, next={"verb": "refund", "do": "decline"})
        made(capture.capture, **act, payment_id=done.payment["id"])
        after = _refunded(desk, page_of(done), "45.00")
    assert after.notes == ["€15.00 of €45.00 refunded. The provider refused the rest: Not enough money on the account."]
    assert story(done)[0].count("refund.succeeded") == 3 and story(done)[0].count("refund.declined") == 1
    assert story(done)[1] == {"provider_balance": 3_500, "payer_clearing": -3_500}
    assert newest.operation["state"] == "succeeded"


def _refunded(desk, page, amount):
    opened = desk.open(f"{page}/refund")
    stated = desk.send(opened, opened.form("amount"), amount=amount, reason="return")
    return desk.send(stated, stated.form("amount"))


def test_the_sentence_is_in_the_users_language(app, made, tenant, page_of):
    with app.app_context():
        email = user("operator", email="deutsch@example.com", language="de")
    desk = Desk(app.test_client())
    desk.log_in(email)
    page = desk.open(f"{page_of(made(factories.captured, tenant, 1_990))}/refund")
    assert page.form("amount").fields["amount"] == "19,90"
    stated = desk.send(page, page.form("amount"), amount="12.50", reason="Rückgabe")
    assert "12,50 € gehen zurück auf Visa •••• 4242. Danach bleiben 7,40 € erstattbar." in stated.text
    assert desk.send(stated, stated.form("amount")).notes == ["12,50 € erstattet."]


@pytest.mark.parametrize("verb", ["refund", "cancel"])
def test_a_reason_is_needed(made, tenant, desk, page_of, operations, verb):
    done = made(factories.captured if verb == "refund" else factories.authorised, tenant)
    before = operations(done)
    page = desk.open(f"{page_of(done)}/{verb}")
    again = desk.send(page, page.form("nonce", "reason"), reason="  ")
    assert again.errors == ["This is needed."]
    assert operations(done) == before


def test_a_refund_the_provider_refuses_is_said_so(made, tenant, desk, page_of, story):
    refused = next(one.ending for one in AMOUNTS if one.outcome == "decline")
    done = made(factories.captured, tenant, 10_000)
    before = story(done)[1]
    page = desk.open(f"{page_of(done)}/refund")
    stated = desk.send(page, page.form("amount"), amount=f"{refused / 100:.2f}", reason="return")
    after = desk.send(stated, stated.form("amount"))
    assert after.notes and after.notes[0].startswith(f"The provider refused to refund €{refused / 100:.2f}")
    assert story(done)[1] == before


def test_silence_is_said_to_be_neither_yes_nor_no(made, tenant, desk, page_of, acquirers):
    done = made(factories.authorised, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/capture")
    acquirers["A"].control(next="garbled")
    after = desk.send(page, page.form("amount"))
    assert after.notes == [
        "No clear answer from the provider. It is asked again until it is known; the amount stays reserved."
    ]
    assert "Capture without an answer" in after.text


def test_what_is_reserved_is_cancelled(made, tenant, desk, page_of, story):
    done = made(factories.authorised, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/cancel")
    assert "The reservation of €50.00 on Visa •••• 4242 ends. It cannot be captured any more." in page.text
    after = desk.send(page, page.form("nonce", "reason"), reason="out of stock")
    assert after.notes == ["€50.00 cancelled."]
    assert "Cancelled" in after.text
    assert story(done)[0][-2:] == ["cancellation.submitted", "cancellation.succeeded"]


def test_an_attempt_that_waits_for_the_payer_is_closed(made, tenant, desk, page_of):
    done = made(factories.authorised, tenant, card=factories.card("challenge"))
    page = desk.open(f"{page_of(done)}/cancel")
    assert "The attempt is closed; the payer can no longer confirm it." in page.text
    after = desk.send(page, page.form("nonce", "reason"), reason="asked by phone")
    assert after.notes == ["The attempt is closed."]


@pytest.mark.parametrize(
    ("verb", "why"),
    [
        ("capture", "Nothing is left to capture."),
        ("cancel", "Nothing is left to cancel."),
        ("release", "This payment does not wait for a risk review."),
    ],
)
def test_what_cannot_be_done_leads_back_with_the_reason(made, tenant, desk, page_of, verb, why):
    done = made(factories.captured, tenant)
    page = desk.open(f"{page_of(done)}/{verb}")
    assert page.path == page_of(done)
    assert page.notes[0].startswith(why)


def test_somebody_else_was_faster(made, tenant, desk, page_of):
    done = made(factories.authorised, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/capture")
    other = desk.open(f"{page_of(done)}/capture")
    desk.send(other, other.form("amount"))
    late = desk.send(page, page.form("amount"))
    assert late.path == page_of(done)
    assert late.notes[0].startswith("Nothing is left to capture.")


def test_a_held_payment_is_released_and_then_captured(made, acquirers, desk, page_of, story):
    shop = made(factories.tenant, acquirers["A"])
    done = made(factories.held_for_review, shop, 5_000)
    assert "order-" in desk.open("/admin/reviews/?mode=test").text
    held = desk.open(page_of(done))
    assert "Capture This payment waits for a risk review." in held.text
    page = desk.open(f"{page_of(done)}/release")
    after = desk.send(page, page.form("nonce", "reason"), reason="known customer")
    assert after.notes == ["Released. It can be captured now."]
    assert "payment.released" in story(done)[0]
    capture = desk.open(f"{page_of(done)}/capture")
    assert desk.send(capture, capture.form("amount")).notes == ["€50.00 captured."]


def test_an_operation_without_an_answer_is_asked_about(app, made, tenant, desk, page_of, acquirers):
    done = made(factories.authorised, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/capture")
    acquirers["A"].control(next="garbled")
    desk.send(page, page.form("amount"))
    with app.app_context(), atomic(ALL) as connection:
        operation_id = connection.execute(
            text("SELECT id FROM operations WHERE payment_id = :id AND kind = 'capture'"), {"id": done.payment["id"]}
        ).scalar_one()
        connection.execute(
            update(OPERATIONS).where(OPERATIONS.c.id == operation_id).values(created_at=now() - timedelta(hours=30))
        )
    worklist = desk.open("/admin/unknown/?mode=test")
    assert done.payment["merchant_reference"] in worklist.text
    assert "1 day" in worklist.text
    after = desk.send(worklist, worklist.form_to(f"{public_id('op', operation_id)}/ask"))
    assert after.path == "/admin/unknown/"
    assert after.notes in (["Capture: Succeeded."], ["Capture: Not sent."])
    assert done.payment["merchant_reference"] not in after.text


def test_what_a_provider_promised_and_did_not_tell_stands_on_the_worklist_too(app, made, tenant, desk):
    done = made(factories.authorised, tenant, 26_607)
    reference = done.payment["merchant_reference"]
    with app.app_context():
        mine = {"merchant_id": tenant.merchant_id, "live": False}
        operation = capture.capture(**mine, payment_id=done.payment["id"], amount=16_607, actor="test").operation
        with atomic(ALL) as connection:
            old = {"created_at": now() - timedelta(hours=30)}
            connection.execute(update(OPERATIONS).where(OPERATIONS.c.id == operation["id"]).values(old))
    assert operation["state"] == "pending"
    assert reference not in desk.open("/admin/unknown/?mode=test").text, "nobody has asked yet"
    with app.app_context():
        resolve(operation["id"], **mine)
    worklist = desk.open("/admin/unknown/?mode=test")
    assert reference in worklist.text
    assert "promised to tell" in worklist.text
    assert "What happened" in desk.open(f"/admin/unknown/{public_id('op', operation['id'])}/correct").text


def test_who_may_not_capture_releases_nothing_that_captures_itself(app, made, acquirers, page_of):
    shop = made(factories.tenant, acquirers["A"])
    made(factories.held_for_review, shop, 5_000)
    done = made(factories.authorised, shop, 6_000, capture_mode="automatic")
    with app.app_context():
        with atomic(ALL) as connection:
            permissions = ["payment.read", "payment.review"]
            role = add_role(connection, label="Reviewer", description="", permissions=permissions, actor="test")
        email = user(role, email="reviewer@example.com", name="Re Viewer")
    reviewer = Desk(app.test_client())
    reviewer.log_in(email)
    page = reviewer.open(f"{page_of(done)}/release")
    assert page.notes[0].startswith("This takes the permission payment.capture, too.")
    assert made(factories.authorisation_of, done)["held_for_review"]


def test_a_release_above_ones_limit_says_so_before(app, made, acquirers, desks, page_of):
    shop, _boss = made(factories.tenant, acquirers["A"]), desks("supervisor")
    made(factories.held_for_review, shop, 5_000)
    done = made(factories.authorised, shop, 6_000, capture_mode="automatic")
    with app.app_context(), atomic(ALL) as connection:
        email, limits = "limited.release@example.com", {"payment.capture": {"EUR": Limit(50_00)}}
        terms = {"password": PASSWORD, "language": "en", "actor": "test"}
        add_user(connection, email=email, roles=[Given("operator", None, limits)], **terms)
    operator = Desk(app.test_client())
    operator.log_in(email)
    page = operator.open(f"{page_of(done)}/release")
    assert "That is more than the €50.00 that may be done alone." in page.text
    after = operator.send(page, page.form("nonce", "reason"), reason="known customer")
    assert after.notes == ["Asked for. €60.00 is kept aside until somebody else has decided."]
    assert made(factories.authorisation_of, done)["held_for_review"]
