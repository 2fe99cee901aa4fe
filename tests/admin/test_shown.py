"""What a role may not do is not shown: every link and form on every page that it sees leads where it may go."""

from html.parser import HTMLParser

import pytest
from werkzeug.exceptions import HTTPException

from admin.guard import declared
from app.staff.permissions import SELF, expand
from app.staff.roles import ROLES
from tests.admin import screens_to_see


@pytest.fixture(scope="module")
def pages(app, acquirers):
    with app.app_context():
        return screens_to_see.pages(acquirers)


class _Ways(HTMLParser):
    """(address, method) of links and forms; an empty action is the page's own address."""

    def __init__(self, here):
        super().__init__()
        self.here, self.found, self._form = here, set(), None

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.found.add((given["href"], "GET"))
        if tag == "form":
            self._form = (given.get("action") or self.here, (given.get("method") or "get").upper())
            self.found.add(self._form)
        if tag == "button" and given.get("formaction"):
            self.found.add((given["formaction"], (given.get("formmethod") or (self._form or ("", "POST"))[1]).upper()))


def _refused(app, may, page, path):
    """What the page shows and the role may not: (address, permission)."""
    ways, adapter = _Ways(path), app.url_map.bind("localhost")
    ways.feed(page.html)
    for href, method in sorted(ways.found):
        address = href.partition("?")[0].partition("#")[0].replace("http://localhost", "")
        if not address.startswith("/admin") or method == "DIALOG":
            continue
        try:
            endpoint, _values = adapter.match(address, method=method)
        except HTTPException:
            yield address, "nothing is there"
            continue
        needed = declared(app, endpoint)
        if needed is not None and needed not in may:
            yield address, needed


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_link_and_form_on_every_page_leads_where_the_role_may_go(app, desks, pages, role):
    desk, wrong = desks(role), {}
    may = expand(ROLES[role].permissions) | {SELF, "public"}
    for name, below in pages.items():
        page = desk.open(f"/admin/{below}")
        if page.status == 200:
            found = list(_refused(app, may, page, page.path))
            if found:
                wrong[name] = found
    assert wrong == {}
