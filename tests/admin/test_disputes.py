"""Disputes: the worklist by deadline, and one in detail."""

from datetime import date, timedelta

import pytest

from app.connectors.kinds import DisputeNews
from app.core.clock import now
from tests import factories


@pytest.fixture(scope="module")
def shop(app, acquirers):
    with app.app_context():
        return factories.tenant(acquirers["A"])


@pytest.fixture
def disputed(made, shop):
    """A captured payment with a dispute: disputed("charged_back", days=5)."""

    def dispute(turn, *, days=7, number=0):
        done = made(factories.captured, shop, 5_000)
        deadline = (now() + timedelta(days=days)).date()
        reference = made(lambda: factories.authorisation_of(done)["provider_reference"])
        about = DisputeNews(turn, f"dispute-{done.payment['id']}", "fraudulent", fee=1_500, respond_by=deadline)
        assert made(
            factories.hear,
            shop,
            done,
            "dispute",
            "approved",
            5_000,
            reference=reference,
            authorisation_reference=reference,
            dispute=about,
        )
        return done, deadline

    return dispute


def shown(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def test_open_disputes_stand_by_deadline(disputed, desk):
    late, _ = disputed("charged_back", days=9)
    soon, _ = disputed("inquiry", days=2)
    won, _ = disputed("charged_back", days=1)
    text = desk.open("/admin/disputes/?mode=test").text
    order = [text.index(one.payment["merchant_reference"]) for one in (won, soon, late)]
    assert order == sorted(order)
    assert "(in 2 days)" in text or "(in 3 days)" in text


def test_a_passed_deadline_is_marked_late(disputed, desk):
    done, _ = disputed("charged_back", days=-3)
    page = desk.open("/admin/disputes/?mode=test")
    assert done.payment["merchant_reference"] in page.text
    assert "Late" in page.text


def test_the_payments_page_leads_to_its_dispute_and_blocks_refunds(disputed, desk, page_of):
    done, deadline = disputed("charged_back")
    page = desk.open(page_of(done))
    assert "Charged back €50.00" in page.text
    assert "Refund The payer's bank has opened a dispute about this payment." in page.text
    link = next(part.split('"')[0] for part in page.html.split('href="') if part.startswith("/admin/disputes/dsp_"))
    detail = desk.open(link)
    assert "Payer says: I did not pay this" in detail.text
    assert f"Answer in the provider's dashboard until {shown(deadline)}." in detail.text
    assert "Dispute: money taken back" in detail.text and "Fee €15.00" in detail.text


def test_all_of_them_can_be_listed_and_filtered(disputed, desk):
    done, _ = disputed("lost")
    reference = done.payment["merchant_reference"]
    assert reference not in desk.open("/admin/disputes/?mode=test").text, "lost ones are no work any more"
    assert reference in desk.open("/admin/disputes/?mode=test&all=1").text
    assert reference in desk.open("/admin/disputes/?mode=test&state=lost").text
    assert reference not in desk.open("/admin/disputes/?mode=test&state=reversed").text


def test_the_overview_counts_them(disputed, desk):
    disputed("charged_back", days=4)
    page = desk.open("/admin/?mode=test")
    assert "Open disputes" in page.text and "next deadline" in page.text
