"""Disputes through the API."""

import pytest

from app.api._pictures import Dispute, Disputes
from app.connectors.kinds import DisputeNews
from app.core.ids import public_id
from tests import factories
from tests.api.conftest import error_of, fits


@pytest.fixture
def charged_back(app, tenant):
    """A captured payment whose payer's bank took the money back."""
    with app.app_context():
        done = factories.captured(tenant)
        news = DisputeNews(turn="charged_back", provider_reference=f"case-{done.payment['id']}", reason="fraudulent")
        reference = factories.authorisation_of(done)["provider_reference"]
        assert factories.hear(
            tenant,
            done,
            "dispute",
            "approved",
            10_000,
            reference=reference,
            dispute=news,
            authorisation_reference=reference,
        )
        return public_id("pay", done.payment["id"])


def test_a_dispute_is_read_and_found_by_its_payment(api, charged_back):
    page = fits(Disputes, api.get(f"/disputes?payment={charged_back}"))
    assert len(page["data"]) == 1
    dispute = page["data"][0]
    assert (dispute["status"], dispute["amount"], dispute["reason"]) == ("charged_back", 10_000, "fraudulent")
    assert fits(Dispute, api.get(f"/disputes/{dispute['id']}")) == dispute
    assert api.get(f"/payments/{charged_back}").get_json()["status"] == "charged_back"


def test_they_can_be_filtered_by_status(api, charged_back):
    def found(status: str) -> set[str]:
        return {one["payment"] for one in api.get(f"/disputes?status={status}").get_json()["data"]}

    assert charged_back in found("charged_back")
    assert charged_back not in found("lost")


def test_a_disputed_payment_is_not_refunded(api, charged_back):
    assert error_of(api.post(f"/payments/{charged_back}/refunds")) == (409, "dispute_open", None)
