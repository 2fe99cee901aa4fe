from collections.abc import Callable
from typing import Any

import pytest

from app.core.db import ALL, atomic
from app.payments import checkout
from app.payments.checkout import Opened
from app.payments.queries import OPERATIONS
from tests import factories, live
from tests.browser import new_context
from tests.hosted_pages.payer import Payer
from tools.translations import compile_

SHOP_PORT = live.free_port()
SHOP_ORIGIN = f"http://127.0.0.1:{SHOP_PORT}"  # another site than the checkout's localhost


@pytest.fixture(scope="session", autouse=True)
def _german() -> None:
    compile_()


@pytest.fixture(scope="module")
def tenant(app, acquirers) -> factories.Tenant:
    """A merchant at acquirer A, with a shop that may frame its checkouts."""
    with app.app_context():
        return factories.tenant(
            acquirers["A"],
            allowed_origins=[SHOP_ORIGIN],
            terms_url="https://shop.example/agb",
            privacy_url="https://shop.example/datenschutz",
            imprint_url="https://shop.example/impressum",
        )


@pytest.fixture
def new_checkout(app, tenant) -> Callable[..., Opened]:
    """Opens a checkout: new_checkout(4_990, places_order=False, language="en", lines=...)."""
    return lambda *arguments, **options: open_one(app, tenant, *arguments, **options)


def open_one(
    app: Any,
    tenant: factories.Tenant,
    amount: int = 4_990,
    *,
    places_order: bool = True,
    language: Any = None,
    **order: Any,
) -> Opened:
    with app.app_context():
        opened = checkout.open_checkout(
            factories.an_order(amount, **order),
            merchant_id=tenant.merchant_id,
            live=False,
            actor="test",
            places_order=places_order,
            language=language,
        )
        return checkout.read(opened.checkout["id"])


@pytest.fixture
def payer(client) -> Payer:
    return Payer(client)


@pytest.fixture
def again(app) -> Callable[[Opened], Opened]:
    """The checkout as it is now."""

    def read(opened: Opened) -> Opened:
        with app.app_context():
            return checkout.read(opened.checkout["id"])

    return read


@pytest.fixture
def changed(app) -> Callable[..., None]:
    """Changes rows by hand, for states that otherwise come by waiting: changed(table, where, column=value)."""

    def change(table: Any, where: Any, **values: Any) -> None:
        with app.app_context(), atomic(ALL) as connection:
            connection.execute(table.update().where(where).values(values))

    return change


def link(opened: Opened, step: str = "", query: str = "") -> str:
    return f"/pay/{checkout.token(opened.checkout['id'])}{step}{query}"


def operation_of(opened: Opened) -> Any:
    return OPERATIONS.c.payment_id == opened.payment["id"]


def charges(acquirers: Any, opened: Opened) -> int:
    """How often the acquirer really reserved money for this checkout."""
    return len(acquirers["A"].did(done="authorised", reference=opened.payment["merchant_reference"]))


@pytest.fixture(scope="module")
def site(app, browser, tmp_path_factory):
    with live.serving(tmp_path_factory.mktemp("live") / "web.log", workers=2) as running:
        yield running


@pytest.fixture
def plain_page(browser):
    """A page whose policy holds (nothing bypassed), which collects what the browser complains about."""
    context = new_context(browser, bypass_csp=False)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()
