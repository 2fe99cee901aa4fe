"""Registering a card: at every chosen contract, charging nothing, once per key even if a process dies."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.idempotency import Once, Repeated, StillRunning
from app.customers import register as registering
from app.customers.models import InstrumentToken
from app.customers.register import NotRegistered, register
from app.payments.queries import CONTRACTS
from tests import factories

pytestmark = pytest.mark.usefixtures("context")

ONCE = Once("register-1", "POST /v1/instruments", b"{}")


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


def ask(tenant, *, card: str = "visa", once: Once | None = None, **more):
    return register(
        merchant_id=tenant.merchant_id,
        live=False,
        card=factories.card(card),
        chosen=contracts(tenant),
        currency="EUR",
        actor="test",
        once=once,
        **more,
    )


def contracts(tenant) -> list[dict]:
    query = select(CONTRACTS).where(CONTRACTS.c.merchant_id == tenant.merchant_id).order_by(CONTRACTS.c.priority)
    with reading(ALL) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def tokens(instrument_id) -> set:
    query = select(InstrumentToken.contract_id).where(InstrumentToken.instrument_id == instrument_id)
    with reading(ALL) as connection:
        return set(connection.execute(query).scalars())


def told(instrument_id) -> list[str]:
    from app.core.events import Event

    with reading(ALL) as connection:
        return list(connection.execute(select(Event.name).where(Event.subject_id == instrument_id)).scalars())


def test_the_instrument_has_a_token_and_no_number(tenant):
    row = ask(tenant)
    assert (row["brand"], row["last4"], row["active"]) == ("visa", "4242", True)
    assert tokens(row["id"]) == {tenant.contract_id}
    assert told(row["id"]) == ["instrument.added"]
    assert "4242424242424242" not in str(row)


def test_a_dead_contract_shortens_the_list(tenant):
    factories.add_contract_to(tenant, "http://127.0.0.1:1", priority=1)
    row = ask(tenant)
    assert tokens(row["id"]) == {tenant.contract_id}


def test_when_nobody_takes_it_nothing_is_stored_and_the_key_is_free_again(tenant):
    with pytest.raises(NotRegistered) as refusal:
        ask(tenant, card="lost_card", once=ONCE)
    assert refusal.value.values == {"reason": "lost_or_stolen"}
    with pytest.raises(NotRegistered):  # the same answer, not "still running"
        ask(tenant, card="lost_card", once=ONCE)


def test_the_same_key_registers_once(tenant, acquirers):
    first = ask(tenant, once=ONCE)
    before = len(acquirers["A"].did(done="registered"))
    with pytest.raises(Repeated) as repeated:
        ask(tenant, once=ONCE)
    assert repeated.value.subject_id == first["id"]
    assert len(acquirers["A"].did(done="registered")) == before


def test_a_key_whose_process_died_is_taken_over_after_a_minute(tenant):
    """The first request came as far as its call: the key is taken, and there is no instrument."""
    begun = registering._prepared(tenant.merchant_id, False, None, ONCE)
    with pytest.raises(StillRunning):
        ask(tenant, once=ONCE)
    with time_machine.travel(now() + timedelta(seconds=61)):
        row = ask(tenant, once=ONCE)
    assert row["id"] == begun
    with pytest.raises(Repeated):
        ask(tenant, once=ONCE)


def test_of_two_that_take_over_one_key_the_first_wins(tenant):
    instrument_id = registering._prepared(tenant.merchant_id, False, None, ONCE)
    with time_machine.travel(now() + timedelta(seconds=61)):
        first = ask(tenant, once=ONCE)
        answer = registering._call(contracts(tenant)[0], _register(instrument_id))
        assert answer
        with atomic(ALL) as connection:
            second = registering._recorded(
                connection,
                instrument_id,
                [registering.Registered(tenant.contract_id, answer)],
                tenant.merchant_id,
                False,
                factories.card("visa"),
                None,
                "test",
            )
    assert second == first
    assert told(instrument_id) == ["instrument.added"]


def _register(instrument_id):
    from app.connectors.kinds import Register
    from app.core.ids import public_id

    return Register(public_id("ins", instrument_id), "card", "EUR", card=factories.card("visa"))
