"""How many queries a screen needs: a number that does not grow with what is listed."""

import re

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests import factories
from tests.admin import screens_to_see

WHO_ASKS = 1  # the user with their roles; the counts of the sidebar are kept for seconds
OWN = {
    "start": 6,
    **dict.fromkeys(("figures", "figures_of_a_year", "figures_wrong_period"), 7),
    "payments": 3,
    "search": 1,
    "batch": 4,
    "batch_new": 4,
    **dict.fromkeys(("payment_open", "payment_captured", "payment_failed", "payment_held"), 13),
    **dict.fromkeys(("capture", "refund", "cancel", "release"), 3),
    "payments_wrong_filters": 4,  # a merchant that is not offered is looked for
    "ceiling_choose": 3,  # leads on to another page
    "events": 3,
    "jobs": 7,  # of which three ask how the system is
    "user": 5,
    "endpoint": 8,
    "approval": 4,
    **dict.fromkeys(("approval_rules", "approval_rule_add"), 5),
    **dict.fromkeys(("dispute", "grant_add", "grant_change"), 4),
    "block_card": 3,
    "login_safety": 3,
    "customer": 5,
    **dict.fromkeys(("customer_export", "customer_erase"), 16),  # one or two per kind of data
}
USUAL = 2


@pytest.fixture(scope="module")
def pages(app, acquirers):
    with app.app_context():
        return screens_to_see.pages(acquirers)


@pytest.fixture
def queries():
    """SQL statements of what happens in the block: `with queries() as seen`."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_more):
        seen.append(re.sub(r"\s+", " ", statement))

    class Seen(list):
        def __enter__(self):
            seen.clear()
            event.listen(Engine, "before_cursor_execute", note)
            return seen

        def __exit__(self, *_):
            event.remove(Engine, "before_cursor_execute", note)

    return Seen


def test_no_screen_needs_more_queries_than_it_should(desk, pages, queries):
    too_many = {}
    for name, path in pages.items():
        desk.open(f"/admin/{path}")  # warms what is kept for seconds
        for _ in range(2):  # what is done once a minute, or counted anew after seconds, is not the screen's
            with queries() as seen:
                assert desk.open(f"/admin/{path}").status == 200
            if len(seen) <= WHO_ASKS + OWN.get(name, USUAL):
                break
        else:
            too_many[name] = (len(seen), [*seen])
    assert {name: found[0] for name, found in too_many.items()} == {}, too_many


@pytest.mark.parametrize("name", ["payments", "events", "search", "start", "deliveries"])
def test_a_longer_list_needs_no_more_queries(app, acquirers, desk, pages, queries, name):
    path = f"/admin/{pages[name]}"
    desk.open(path)
    with queries() as few:
        desk.open(path)
    before = len(few)
    with app.app_context():
        shop = factories.tenant(acquirers["A"])
        for _ in range(5):
            factories.authorised(shop)
    with queries() as more:
        desk.open(path)
    assert len(more) <= before
