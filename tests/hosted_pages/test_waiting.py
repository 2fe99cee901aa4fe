"""Pages that wait: what they say, how they move on, how little they ask."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import event

from app.core.clock import now
from app.core.db import db
from app.payments.queries import OPERATIONS
from sandbox.acquirers.cards import CARD_BY_NAME
from tests.hosted_pages.conftest import link, operation_of
from tests.hosted_pages.payer import card


def test_a_bank_that_answers_later_is_waited_for_and_then_not_any_more(payer, new_checkout, changed):
    opened = new_checkout(return_url="https://shop.example/")
    shown = payer.fill_in(payer.open(link(opened)), card(CARD_BY_NAME["pending"].number))
    assert shown.path.endswith("/wait")
    assert shown.heading == "Ihre Bank prüft die Zahlung"
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in shown.html
    for step in ("", "/result", "/cancel"):
        assert payer.open(link(opened, step)).heading == "Ihre Bank prüft die Zahlung"
    changed(OPERATIONS, operation_of(opened), updated_at=now() - timedelta(minutes=1))
    shown = _soon(lambda: payer.open(link(opened, "/wait")), lambda shown: shown.path.endswith("/result"))
    assert shown.heading == "Ihre Zahlung ist in Arbeit"
    assert "Bitte bezahlen Sie nicht noch einmal" in shown.text
    assert shown.document.one("a", class_="button").attributes["href"].endswith("status=pending")


def test_silence_is_waited_for_and_said_honestly(payer, new_checkout):
    opened = new_checkout()
    shown = payer.fill_in(payer.open(link(opened)), card(CARD_BY_NAME["no_answer"].number))
    assert shown.heading == "Ihre Bank prüft die Zahlung"
    assert "Sie bezahlen nicht doppelt" in shown.text


def test_the_page_moves_on_by_itself_when_the_answer_is_there(payer, new_checkout, client):
    opened = new_checkout()
    payer.fill_in(payer.open(link(opened)), card(CARD_BY_NAME["no_answer"].number))
    asked = {"Accept": "application/json"}
    assert client.get(link(opened, "/wait"), headers=asked).json["standing"] == "waiting"
    with client.application.app_context():
        _resolve(opened)
    told = _soon(
        lambda: client.get(link(opened, "/wait"), headers=asked).json, lambda told: told["standing"] != "waiting"
    )
    assert told == {"standing": "paid", "next": link(opened, "/result")}
    assert payer.open(link(opened, "/wait")).heading == "Vielen Dank für Ihre Zahlung"


def test_many_windows_share_one_reading(app, payer, new_checkout):
    opened = new_checkout()
    payer.fill_in(payer.open(link(opened)), card(CARD_BY_NAME["pending"].number))
    statements: list[str] = []
    with app.app_context():
        engine = db.engine

    def count(*arguments):
        if "checkouts" in arguments[2].lower():
            statements.append(arguments[2])

    event.listen(engine, "before_cursor_execute", count)
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: app.test_client().get(link(opened, "/wait")).status_code, range(24)))
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert answers == [200] * 24
    assert len(statements) < 8  # one per 300 ms, however many ask


def _soon(ask, enough):
    """Asks again and again, as a waiting page does, until the shared reading has been renewed."""
    ends = time.monotonic() + 5
    while not enough(answer := ask()):
        assert time.monotonic() < ends, answer
    return answer


def _resolve(opened) -> None:
    """Asks the provider what became of it, as the job does."""
    from sqlalchemy import select

    from app.core.db import ALL, reading
    from app.payments.resolve import resolve

    with reading(ALL) as connection:
        operation = connection.execute(select(OPERATIONS).where(operation_of(opened))).mappings().one()
    resolve(operation["id"], merchant_id=operation["merchant_id"], live=False)
