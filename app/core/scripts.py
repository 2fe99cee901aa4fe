"""The inventory of scripts that run where payers type card numbers, and the comparison of a served page with it.

PCI DSS 4.0.1 wants to know of each script why it is there and that it is unchanged (6.4.3), and that changes of
scripts and of the headers that guard them are noticed as a browser would receive them (11.6.1). The inventory is a
file under version control; pages take the `integrity` of their tags from it, so that a browser refuses a changed one.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = ROOT / "hosted_pages" / "scripts.json"


@dataclass(frozen=True, slots=True)
class Script:
    """`address`: its path. `where`: on which pages. `purpose`: why it is needed there. `integrity`: as in the tag."""

    file: str
    address: str
    where: str
    purpose: str
    integrity: str


@cache
def inventory() -> tuple[Script, ...]:
    return tuple(Script(**entry) for entry in json.loads(INVENTORY.read_text()))


def integrity_of(file: str) -> str:
    """Of a script by its file name, as the inventory says (not as the file is now)."""
    return next(script.integrity for script in inventory() if script.file.rpartition("/")[2] == file)


def digest(content: bytes) -> str:
    """The value of an `integrity` attribute."""
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def differences(html: str, headers: Mapping[str, str], load: Callable[[str], bytes]) -> list[str]:
    """What a served page, its headers and its scripts have that they should not, or lack; [] when all is right.

    The page is one that sends nothing to another site. `headers`: names in lower case. `load`: path -> what is served
    there.
    """
    found = _Scripts(html)
    known = {script.address: script for script in inventory()}
    said = [*(f"runs in the page itself: {where}" for where in found.inline), *found.elsewhere]
    for address, integrity in found.loaded:
        script = known.get(urlsplit(address).path)
        if script is None or not _is_ours(address):
            said.append(f"not in the inventory: {address}")
            continue
        if integrity != script.integrity:
            said.append(f"its tag has another integrity: {address}")
        if digest(load(address)) != script.integrity:
            said.append(f"its content is another: {address}")
    if not found.loaded:
        said.append("the page has no script at all")
    return [*said, *_headers(headers, found.nonces)]


def _is_ours(address: str) -> bool:
    """Whether it stays with the site; browsers read a backslash as a slash and pass over what is not printed."""
    parts = urlsplit("".join(letter for letter in address if letter > " ").replace("\\", "/"))
    return not parts.scheme and not parts.netloc


_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "integrity-policy": "blocked-destinations=(script)",
}


def _headers(headers: Mapping[str, str], nonces: set[str]) -> Iterator[str]:
    yield from _policy(headers.get("content-security-policy", ""), nonces)
    for name, wanted in _HEADERS.items():
        if headers.get(name) != wanted:
            yield f"{name} is not {wanted}"


def _policy(policy: str, nonces: set[str]) -> Iterator[str]:
    """Rule by rule: each as the checkout sends it (hosted_pages/paper.py), none more, none less."""
    nonce = " ".join(f"'nonce-{one}'" for one in sorted(nonces))
    wanted = {
        **dict.fromkeys(("default-src", "base-uri"), "'none'"),
        **dict.fromkeys(("img-src", "connect-src", "form-action"), "'self'"),
        "script-src": nonce,
        "style-src": f"'self' {nonce}",
    }
    rules = [
        (name.lower(), value.strip()) for name, _, value in (one.strip().partition(" ") for one in policy.split(";"))
    ]
    said = dict(reversed(rules))  # of a rule that is there twice browsers take the first
    for name, value in wanted.items():
        if said.get(name) != value:
            yield f"the policy says {name} {said.get(name, '(nothing)')} instead of {value}"
    if not _named_frames(said.get("frame-ancestors", "")):
        yield f"the policy says frame-ancestors {said.get('frame-ancestors', '(nothing)')}"
    for name in sorted({*said} - {*wanted, "frame-ancestors", ""}):
        yield f"the policy says {name} {said[name]}"


def _named_frames(value: str) -> bool:
    """Nobody, or sites by name: those a shop has entered."""
    named = [urlsplit(one) for one in value.split()]
    return value == "'none'" or (
        bool(named) and all(one.scheme in ("http", "https") and one.netloc and "*" not in one.netloc for one in named)
    )


class _Scripts(HTMLParser):
    """What could run in a page: (address, integrity) of loaded scripts, and everything inline.

    `elsewhere`: what would fetch something for the page from another site, or send there what a payer types.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[tuple[str, str]] = []
        self.inline: list[str] = []
        self.elsewhere: list[str] = []
        self.nonces: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "script":
            self.nonces.add(attributes.get("nonce", ""))
            if attributes.get("src"):
                self.loaded.append((attributes["src"], attributes.get("integrity", "")))
            else:
                self.inline.append("<script>")
        if tag in ("iframe", "frame", "object", "embed", "applet", "base"):
            self.inline.append(f"<{tag}>")
        self._leads_away(tag, attributes)
        self.inline += [f"<{tag} {name}>" for name in attributes if name.startswith("on")]
        self.inline += [f"<{tag} javascript:>" for value in attributes.values() if "javascript:" in value.lower()]

    def _leads_away(self, tag: str, attributes: Mapping[str, str]) -> None:
        for name in ("action", "formaction"):
            if not _is_ours(attributes.get(name, "")):
                self.elsewhere.append(f"a form is sent elsewhere: {attributes[name]}")
        if tag == "link" and (
            attributes.get("rel") not in ("icon", "stylesheet") or not _is_ours(attributes.get("href", ""))
        ):
            self.elsewhere.append(f"a link of the page: {attributes.get('rel')} {attributes.get('href')}")
        if tag == "meta" and "http-equiv" in attributes:
            refreshes = attributes["http-equiv"].lower() == "refresh" and attributes.get("content", "").isdecimal()
            if not refreshes:  # a page that waits loads itself again
                self.elsewhere.append(f"a meta of the page: {attributes['http-equiv']} {attributes.get('content', '')}")
