"""Every address of every door, asked as a browser asks: what each answer must say, and what each page must not hold.

Addresses come from the application itself, so a new one is walked without being listed here.
"""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from werkzeug.routing import Rule

from app.config import settings
from app.core.db import ALL, atomic
from app.core.ids import public_id
from app.merchants.add import SHOPS, change
from app.payments import checkout
from tests import factories
from tests.admin.desk import Desk, user
from tests.documents.files import png

FRAMED_BY = "https://shop.example"
# Shown by other sites: the script that shops include in their own pages.
SHARED_WITH_OTHER_SITES = {"hosted.embed"}


@pytest.fixture(scope="module")
def tenant(app, acquirers) -> factories.Tenant:
    with app.app_context():
        return factories.tenant(acquirers["A"], allowed_origins=[FRAMED_BY])


@pytest.fixture(scope="module")
def token(app, tenant) -> str:
    """The link of an open checkout, of a shop with a logo."""
    with app.app_context():
        with atomic(ALL) as connection:
            logo = {"logo": png(), "logo_type": "image/png"}
            change(connection, SHOPS, tenant.shop_id, logo, noun="shop", actor="test")
        opened = checkout.open_checkout(
            factories.an_order(4_990), merchant_id=tenant.merchant_id, live=False, actor="test", places_order=True
        )
        return checkout.token(opened.checkout["id"])


@pytest.fixture(scope="module")
def paths(app, tenant, token) -> dict[str, str]:
    """Endpoint and method -> an address to ask."""
    return {
        f"{method} {rule.endpoint} {rule.rule}": _filled(rule, tenant, token)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
        if rule.endpoint != "security.logout"
    }


def _filled(rule: Rule, tenant: factories.Tenant, token: str) -> str:
    merchant = public_id("mer", tenant.merchant_id)
    known = {"token": token, "provider": "sandbox_card", "contract": public_id("ctr", tenant.contract_id)}
    files = {"hosted.static": "hosted.js", "office.static": "office.js", "docs.static": "docs.css"}
    path = rule.rule
    for name in rule.arguments:
        value = files.get(rule.endpoint, "none") if name == "filename" else known.get(name, merchant)
        path = path.replace(f"<{name}>", value).replace(f"<path:{name}>", value)
    return path


@pytest.fixture(scope="module")
def answers(app, tenant, paths) -> list[tuple[str, Any]]:
    """What every address answers, with a key to the API and to somebody of the staff; and what goes wrong."""
    with app.app_context():
        address = user("admin")
    desk = Desk(app.test_client())
    assert desk.log_in(address).status == 200
    found = []
    for name, path in paths.items():
        method = name.partition(" ")[0]
        sender = desk.client if path.startswith("/admin") else app.test_client()
        headers = tenant.headers if path.startswith("/v1") else {}
        found.append((name, sender.open(path, method=method, headers=headers)))
    found += [(f"{method} anybody {path}", app.test_client().open(path, method=method)) for method, path in ANYBODY]
    return found


# What somebody without a log-in or a key meets, and addresses where nothing is.
ANYBODY = [
    *(("GET", "/admin/login"), ("GET", "/admin/"), ("POST", "/v1/payments")),
    *(("GET", "/nowhere"), ("GET", "/v1/nowhere"), ("GET", "/v1/payments"), ("GET", "/pay/wrong"), ("PUT", "/pay/x")),
    *(("GET", "/return/wrong"), ("GET", "/hosted/nothing.js"), ("GET", "/admin/nowhere"), ("POST", "/healthz")),
    *(("POST", "/news/sandbox_card/ctr_wrong"), ("GET", "/docs/static/nothing"), ("DELETE", "/admin/login")),
]


def _policy(answer: Any) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


def test_every_door_is_walked(answers):
    good = {name.split()[1].partition(".")[0] for name, answer in answers if answer.status_code == 200}
    assert {"hosted", "docs", "health", "payments", "anybody", "office", "office_payments"} <= good
    assert len(answers) > 100


def test_every_answer_says_what_the_browser_may_do_with_it(answers):
    wrong = []
    for name, answer in answers:
        headers, policy = answer.headers, _policy(answer)
        shared = name.split()[1] in SHARED_WITH_OTHER_SITES
        expected = {
            "nosniff": headers.get("X-Content-Type-Options") == "nosniff",
            "referrer": headers.get("Referrer-Policy") in ("no-referrer", "same-origin"),
            "opener": headers.get("Cross-Origin-Opener-Policy") == "same-origin",
            "shared": headers.get("Cross-Origin-Resource-Policy") == ("cross-origin" if shared else "same-origin"),
            "devices": all(f"{one}=()" in headers.get("Permissions-Policy", "") for one in ("camera", "microphone")),
            "nothing by default": policy.get("default-src") == "'none'",
            "says who frames it": "frame-ancestors" in policy,
            "old browsers": (headers.get("X-Frame-Options") == "DENY") == (policy.get("frame-ancestors") == "'none'"),
            "request id": bool(headers.get("Request-Id")),
            "no version of ours": not headers.get("Server", "").startswith("Werkzeug/"),
        }
        wrong += [(name, answer.status_code, what) for what, holds in expected.items() if not holds]
    assert wrong == []


def test_no_policy_lets_anything_run_that_is_not_ours(answers):
    wrong = []
    for name, answer in answers:
        for directive, value in _policy(answer).items():
            if "unsafe-" in value or (directive != "frame-ancestors" and "*" in value.split()):
                wrong.append((name, directive, value))
            if directive == "script-src" and not value.startswith("'nonce-"):
                wrong.append((name, directive, value))
    assert wrong == []


def test_only_a_checkout_asked_for_in_a_frame_may_be_framed_and_only_by_its_shop(answers, app, token):
    framed = [name for name, answer in answers if _policy(answer)["frame-ancestors"] != "'none'"]
    assert framed == []
    asked = app.test_client().get(f"/pay/{token}?embed=1")
    assert _policy(asked)["frame-ancestors"] == FRAMED_BY
    assert "X-Frame-Options" not in asked.headers


def test_only_the_back_office_sets_a_cookie_and_only_for_itself(answers, app):
    setting = {name.split()[2]: answer.headers.getlist("Set-Cookie") for name, answer in answers}
    elsewhere = {path: cookies for path, cookies in setting.items() if cookies and not path.startswith("/admin")}
    assert elsewhere == {}
    assert all("Path=/admin" in cookie for cookies in setting.values() for cookie in cookies)
    cookie = app.test_client().get("/admin/login").headers["Set-Cookie"]
    assert {"HttpOnly", "Path=/admin", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


def test_what_is_about_somebody_is_kept_by_nobody(answers):
    wrong = [
        (name, answer.headers.get("Cache-Control"))
        for name, answer in answers
        if answer.status_code == 200
        and (answer.mimetype in ("text/html", "application/json"))
        and name.split()[1].partition(".")[0] not in ("docs", "spec", "health")
        and "no-store" not in answer.headers.get("Cache-Control", "")
    ]
    assert wrong == []


class _Page(HTMLParser):
    """Whatever in a page could run, or load from elsewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: list[dict[str, str]] = []
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "script":
            self.scripts.append(attributes)
        self.found += [f"<{tag} {name}>" for name in attributes if name.startswith("on") or name == "style"]
        self.found += [f"{tag} {value}" for value in attributes.values() if "javascript:" in value.lower()]
        if tag in ("base", "object", "embed", "applet") or (tag == "iframe" and attributes.get("src", "")[:1] != "/"):
            self.found.append(f"<{tag}>")
        if tag not in ("a", "form", "meta"):
            loaded = [attributes.get(name, "") for name in ("src", "href")]
            self.found += [f"<{tag}> loads {one}" for one in loaded if one.partition("?")[0].count("//")]


def _pages(answers: list[tuple[str, Any]]) -> Iterator[tuple[str, Any, _Page]]:
    for name, answer in answers:
        if answer.mimetype == "text/html":
            yield name, answer, _Page(answer.get_data(as_text=True))


def test_no_page_holds_what_a_strict_policy_would_have_to_allow(answers):
    pages = list(_pages(answers))
    assert len(pages) > 40
    assert [(name, page.found) for name, _, page in pages if page.found] == []


def test_every_script_in_a_page_has_the_nonce_of_its_answer_and_an_address(answers):
    wrong = []
    for name, answer, page in _pages(answers):
        allowed = _policy(answer).get("script-src", "")
        for script in page.scripts:
            if not script.get("src") or f"'nonce-{script.get('nonce')}'" not in allowed:
                wrong.append((name, script))
    assert wrong == []


@pytest.mark.parametrize(
    ("path", "largest"), [("/pay/{token}", 64_000), ("/return/x", 64_000), ("/admin/login", 1_000_000)]
)
def test_a_form_that_is_too_large_is_refused_before_it_is_read(app, token, path, largest):
    address, client = path.format(token=token), app.test_client()
    assert client.post(address, data={"x": "y" * largest}).status_code == 413
    assert client.post(address, data={"x": "y" * 1_000}).status_code != 413


def test_a_body_that_is_too_large_is_refused_at_the_doors_for_programs(app, tenant):
    large = json.dumps({"merchant_reference": "x" * 1_000_000})
    answer = app.test_client().post("/v1/payments", data=large, content_type="application/json", headers=tenant.headers)
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "body_too_large")
    news = f"/news/sandbox_card/{public_id('ctr', tenant.contract_id)}"
    assert app.test_client().post(news, data=b"x" * 256_001).status_code == 413


def test_behind_https_everything_says_so_and_without_it_nothing_does(app, answers, monkeypatch):
    assert [name for name, answer in answers if "Strict-Transport-Security" in answer.headers] == []
    monkeypatch.setenv("PUBLIC_URL", "https://pay.example")
    settings.cache_clear()
    try:
        for path in ("/healthz", "/v1/nowhere", "/pay/wrong", "/admin/login", "/nowhere", "/embed.js"):
            said = app.test_client().get(path).headers["Strict-Transport-Security"]
            assert said == "max-age=31536000; includeSubDomains", path
    finally:
        monkeypatch.undo()
        settings.cache_clear()
