import pytest

from tests import factories


@pytest.fixture
def tenant(context, acquirers) -> factories.Tenant:
    return factories.tenant(acquirers["A"])
