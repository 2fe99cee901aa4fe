from collections.abc import Callable, Iterator
from typing import Any

import pytest

from admin import counts
from app.core import queue
from app.core.ids import public_id
from tests import factories
from tests.admin.desk import Desk, user
from tests.admin.told import watched
from tools.translations import compile_


@pytest.fixture(scope="session", autouse=True)
def _german() -> None:
    compile_()


@pytest.fixture(autouse=True)
def _fresh_counts(app) -> None:
    """Counts of open work are kept for seconds, wrong passwords of an address for minutes; each test begins anew."""
    counts.forget()
    for key in queue.connection().scan_iter("zahlwerk:login:address:*"):
        queue.connection().delete(key)


@pytest.fixture(autouse=True)
def _nothing_is_done_silently(app) -> Iterator[None]:
    """Whatever a test does at a desk: what a page says was done was told, with the member of staff as actor."""
    with watched(app) as untold:
        yield
    assert untold == []


@pytest.fixture(scope="module")
def tenant(app, acquirers) -> factories.Tenant:
    """A merchant at acquirer A, which captures as often as one likes."""
    with app.app_context():
        return factories.tenant(acquirers["A"])


@pytest.fixture(scope="module")
def desks(app) -> Callable[[str], Desk]:
    """`desks("operator")`: somebody with that role, logged in. One per module and role."""
    seated: dict[str, Desk] = {}

    def desk(role: str) -> Desk:
        if role not in seated:
            with app.app_context():
                address = user(role)
            seated[role] = Desk(app.test_client())
            assert seated[role].log_in(address).status == 200
        return seated[role]

    return desk


@pytest.fixture
def desk(desks) -> Desk:
    """An administrator's."""
    return desks("admin")


@pytest.fixture
def made(app) -> Callable[..., Any]:
    """Calls a function in an application context: `made(factories.authorised, tenant, 5_000)`."""

    def call(make: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with app.app_context():
            return make(*arguments, **options)

    return call


@pytest.fixture
def page_of() -> Callable[[Any], str]:
    """The address of a payment's page."""
    return lambda done: f"/admin/payments/{public_id('pay', done.payment['id'])}"
