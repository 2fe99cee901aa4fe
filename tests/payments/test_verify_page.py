"""The checkout is looked at as it is really served, whatever stands in between; what differs is told to staff."""

import http.client
import http.server
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from app.config import settings
from app.core.db import ALL, reading
from app.payments import checkout
from app.payments.verify_page import verify_page
from hosted_pages.cli import scripts
from jobs.run import run_job
from tests import factories, live


@pytest.fixture(scope="module")
def site(app, acquirers, tmp_path_factory):
    with live.serving(tmp_path_factory.mktemp("verify") / "web.log") as running:
        yield running


@pytest.fixture
def public(app, monkeypatch):
    """public(url): the product is reached there."""

    def at(url: str) -> None:
        monkeypatch.setenv("PUBLIC_URL", url)
        settings.cache_clear()

    yield at
    monkeypatch.undo()
    settings.cache_clear()


@contextmanager
def somebody_in_between(site, change):
    """A proxy that changes what passes: change(path, body) -> body. Yields its address."""

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
            connection.request("GET", self.path, headers={"Host": f"localhost:{site.port}"})
            answer = connection.getresponse()
            body = change(self.path, answer.read())
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with live.listening(Proxy) as port:
        yield f"http://127.0.0.1:{port}"


def told() -> list[list[str]]:
    with reading(ALL) as connection:
        names = text("SELECT data FROM events WHERE name = 'scripts.changed' ORDER BY id")
        return [data["found"] for data in connection.execute(names).scalars()]


def test_what_is_served_is_as_the_inventory_says_with_and_without_an_open_checkout(
    app, context, acquirers, site, public
):
    public(site.url)
    assert verify_page("test") == []
    tenant = factories.tenant(acquirers["A"])
    checkout.open_checkout(factories.an_order(), merchant_id=tenant.merchant_id, live=False, actor="test")
    assert verify_page("test") == []
    assert run_job("verify_scripts") == "as the inventory says"
    assert "2 scripts are served as the inventory says" in app.test_cli_runner().invoke(scripts, ["verify"]).output
    assert told() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda path, body: body.replace(b"</body>", b"<script src='https://evil.example/s.js'></script></body>"),
            "not in the inventory: https://evil.example/s.js",
        ),
        (
            lambda path, body: body + b"//" if path.startswith("/hosted/hosted.js") else body,
            "its content is another: /hosted/hosted.js",
        ),
        (lambda path, body: body + b"//" if path == "/embed.js" else body, "its content is another: /embed.js"),
    ],
)
def test_what_somebody_changed_on_the_way_is_told_to_staff(context, site, public, change, said):
    before = len(told())
    with somebody_in_between(site, change) as url:
        public(url)
        found = verify_page("test")
    assert any(one.startswith(said) for one in found), found
    assert told()[before:] == [found]


def test_a_page_that_cannot_be_looked_at_is_no_finding(app, context, public):
    before = len(told())
    public("http://127.0.0.1:9")
    assert run_job("verify_scripts") == "the checkout could not be looked at"
    refused = app.test_cli_runner().invoke(scripts, ["verify"])
    assert refused.exit_code == 1 and "could not be looked at" in refused.output
    assert len(told()) == before
