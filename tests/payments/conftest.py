import pytest

from tests import factories


@pytest.fixture
def tenant(context, acquirers):
    """A merchant at acquirer A, which answers at once and captures as often as asked."""
    return factories.tenant(acquirers["A"])


@pytest.fixture
def act(tenant):
    """The keyword arguments that name the tenant in every verb."""
    return {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
