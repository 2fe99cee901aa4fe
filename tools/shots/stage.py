"""A stage for pictures: stores, sandbox acquirers and the real web server, with two shops that look different.

Built from the tests' own parts, so it needs requirements-dev.txt and nothing else that runs.
"""

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert

from app.connectors.kinds import Payer
from app.core.db import ALL, atomic
from app.merchants.add import add_contract, add_merchant, add_shop
from app.payments import checkout
from app.payments.attempt import Means
from app.payments.capture import capture
from app.payments.checkout import Opened
from app.payments.start import Order
from app.risk.models import AmountCeiling
from tests import (
    conftest,  # sets the environment up before anything of the product is imported
    factories,
    live,
)
from tests.acquirers import RunningAcquirer, running_acquirers
from tests.databases import running_databases
from tools.shots import logos
from tools.translations import compile_

SHOP_PORT = live.free_port()
_numbers = itertools.count(7041)

LOOKS: dict[str, dict[str, Any]] = {
    "cafe": {
        "name": "Kaffeerösterei Nordlicht",
        "accent": "#7a3b12",
        "radius": 10,
        "font": "system",
        "theme": "light",
        "logo": logos.CAFE,
        "logo_type": "image/svg+xml",
        "texts": {
            "de": {
                "thanks": "Wir rösten Ihre Bohnen morgen früh und schicken sie am selben Tag los.",
                "support": "Fragen? Rufen Sie uns an: 0431 123456",
            },
            "en": {
                "thanks": "We roast your beans tomorrow morning and send them the same day.",
                "support": "Questions? Call us: +49 431 123456",
            },
        },
    },
    "velo": {
        "name": "Velo Kontor",
        "accent": "#ffd60a",
        "radius": 18,
        "font": "system",
        "theme": "dark",
        "logo": logos.BIKES,
        "logo_type": "image/svg+xml",
        "texts": {"de": {"welcome": "Schön, dass Sie bei uns einkaufen."}, "en": {"welcome": "Good to have you here."}},
    },
}
_MERCHANTS = {"cafe": "Nordlicht Kaffee GmbH", "velo": "Velo Kontor"}
_LINES = {
    "cafe": [
        {"name": "Espresso „Nordlicht“, ganze Bohne, 1 kg", "quantity": 2, "amount": 4780},
        {"name": "Handfilter aus Porzellan", "quantity": 1, "amount": 1950},
        {"name": "Versand", "quantity": 1, "amount": 490},
    ],
    "velo": [
        {"name": "Stadtrad „Alster“, Rahmen 54 cm", "quantity": 1, "amount": 129_900},
        {"name": "Faltschloss", "quantity": 1, "amount": 7_990},
    ],
}


@dataclass
class Stage:
    """`open()` makes a new checkout of a shop; the others bring it into a state and return its address."""

    app: Any
    site: live.Site
    merchants: dict[str, UUID]

    def open(self, shop: str, language: str, *, times: int = 1, **more: Any) -> Opened:
        lines = [{**line, "amount": line["amount"] * times} for line in _LINES[shop]]
        order = Order(
            amount=sum(line["amount"] for line in lines),
            currency="EUR",
            merchant_reference=f"{'CN' if shop == 'cafe' else 'VK'}-{next(_numbers)}",
            lines=lines,
            payer=Payer(name="Erika Mustermann", email="erika@example.org"),
            return_url=f"http://127.0.0.1:{SHOP_PORT}/thanks",
        )
        with self.app.app_context():
            opened = checkout.open_checkout(
                order, merchant_id=self.merchants[shop], live=False, actor="shots", language=language, **more
            )
            return checkout.read(opened.checkout["id"])

    def url(self, opened: Opened, step: str = "", embed: bool = False) -> str:
        address = self.site.checkout(opened.checkout["id"])
        return address + step + ("?embed=1" if embed else "")

    def ask_above(self, amount: int, shop: str) -> None:
        """Above this sum (minor units) the shop's payers are asked who they are."""
        row = {"merchant_id": self.merchants[shop], "live": False, "currency": "EUR", "details_above": amount}
        with self.app.app_context(), atomic(ALL) as connection:
            connection.execute(insert(AmountCeiling).values(row).on_conflict_do_nothing())

    def paid(self, opened: Opened, card: str, *, captured: bool = False) -> None:
        with self.app.app_context():
            done = checkout.pay(opened, Means("card", card=factories.card(card)))
            if captured:
                tenant = {"merchant_id": opened.checkout["merchant_id"], "live": False}
                capture(**tenant, payment_id=done.payment["id"], actor="shots")

    def change(self, table: Table, where: Any, **columns: Any) -> None:
        """Changes a row by hand, for states that otherwise come by waiting."""
        with self.app.app_context(), atomic(ALL) as connection:
            connection.execute(table.update().where(where).values(columns))


@contextmanager
def standing() -> Iterator[Stage]:
    compile_()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zahlwerk-shots-")))
        home.chmod(0o755)
        databases = stack.enter_context(running_databases(home / "stores"))
        acquirers = stack.enter_context(running_acquirers(home / "journals", "A"))
        os.environ |= {"REDIS_URL": databases.redis_url, "DATABASE_URL": databases.template_app_url}
        from wsgi import create_app

        app = create_app()
        os.environ["DATABASE_URL"] = stack.enter_context(databases.fresh(app))
        site = stack.enter_context(live.serving(home / "web.log"))
        with app.app_context():
            merchants = {name: new_merchant(name, acquirers["A"]) for name in LOOKS}
        yield Stage(app, site, merchants)


def new_merchant(name: str, acquirer: RunningAcquirer) -> UUID:
    """A merchant with one shop, which takes cards and offers PayPal (whose pages are not needed here)."""
    columns = {
        "allowed_origins": [f"http://127.0.0.1:{SHOP_PORT}"],
        "terms_url": "https://shop.example/agb",
        "privacy_url": "https://shop.example/datenschutz",
        "imprint_url": "https://shop.example/impressum",
        **LOOKS[name],
    }
    paypal = {"client_id": "x", "client_secret": "x", "webhook_id": "x", "url": "http://127.0.0.1:9"}
    with atomic(ALL) as connection:
        merchant_id = add_merchant(connection, name=_MERCHANTS[name], actor="shots")
        add_shop(connection, merchant_id=merchant_id, actor="shots", **columns)
        for provider, settings in (("sandbox_card", acquirer.settings), ("paypal", paypal)):
            add_contract(
                connection,
                merchant_id=merchant_id,
                live=False,
                provider=provider,
                label=provider,
                settings=settings,
                actor="shots",
            )
    return merchant_id


assert conftest
