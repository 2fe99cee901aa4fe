"""A customer about whom something of every kind is known."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, text

from app.connectors.kinds import DisputeNews
from app.core import vault
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.core.ids import uuid7
from app.core.sequence import sequence
from app.customers.add import add_customer, change_customer
from app.messages.mail import CONTEXT, MAILS
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.note import note
from app.risk import take
from tests import factories

SECRET = "Erika Geheim"
EMAIL = "erika.geheim@example.com"


@pytest.fixture
def known(context, acquirers) -> Any:
    """`row`, `tenant`, `paid` (with a kept card), `guest` (the same address, without being a customer)."""
    tenant = factories.tenant(acquirers["A"])
    whose = {"merchant_id": tenant.merchant_id, "live": False}
    with atomic(of(tenant.merchant_id, False)) as connection:
        columns = {
            "number": "K-7",
            "name": SECRET,
            "email": EMAIL,
            "phone": "+49 30 55",
            "address": {"city": "Geheimstadt"},
        }
        row = add_customer(connection, **whose, actor="test", columns=columns)
        change_customer(connection, customer_id=row["id"], actor="staff:usr_1", columns={"phone": "+49 30 66"})
    payer = factories.Payer(name=SECRET, email=EMAIL)
    paid = authorise(
        **whose,
        actor="test",
        order=factories.an_order(customer_id=row["id"], payer=payer),
        means=Means("card", card=factories.GOOD_CARD, store=True),
    )
    guest = factories.captured(tenant, 4_000, payer=payer)
    with atomic(of(tenant.merchant_id, False)) as connection:
        for done in (paid, guest):
            answer = {"name": SECRET, "city": "Geheimstadt"}
            take.take(connection, **whose, payment_id=done.payment["id"], step="details", answer=answer)
        note(connection, paid.payment["id"], said=f"{SECRET} called", actor="staff:usr_1")
        connection.execute(insert(MAILS).values(**_sent_mail(whose, paid.payment["id"])))
    while sequence():
        pass
    return SimpleNamespace(row=row, tenant=tenant, paid=paid, guest=guest, scope=of(tenant.merchant_id, False))


def _sent_mail(whose: dict[str, Any], payment_id: Any) -> dict[str, Any]:
    return {
        **whose,
        "id": uuid7(),
        "payment_id": payment_id,
        "name": "receipt",
        "recipient_index": vault.blind_index(EMAIL, "mail"),
        "sealed": vault.seal_json({"to": EMAIL}, CONTEXT),
        "summary": {"to": "payer", "event": "capture.succeeded", "language": "de"},
        "state": "sent",
        "due_at": now(),
        "created_at": now(),
        "sent_at": now(),
    }


@pytest.fixture
def disputed(known) -> Any:
    """The guest's payment has an open dispute."""
    reference = factories.authorisation_of(known.guest)["provider_reference"]
    about = DisputeNews(
        "charged_back", f"dispute-{uuid7()}", "fraudulent", respond_by=(now() + timedelta(days=6)).date()
    )
    more: dict[str, Any] = {"authorisation_reference": reference, "dispute": about}
    assert factories.hear(known.tenant, known.guest, "dispute", "approved", 4_000, reference=reference, **more)
    return known


@pytest.fixture
def column():
    def read(query: str, **values: Any) -> list[Any]:
        with reading(ALL) as connection:
            return list(connection.execute(text(query), values).scalars())

    return read
