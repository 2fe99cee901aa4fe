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

    `headers`: names in lower case. `load`: path -> what is served there.
    """
    found = _Scripts(html)
    known = {script.address: script for script in inventory()}
    said = [f"runs in the page itself: {where}" for where in found.inline]
    for address, integrity in found.loaded:
        script = known.get(urlsplit(address).path)
        if script is None or urlsplit(address).netloc:
            said.append(f"not in the inventory: {address}")
            continue
        if integrity != script.integrity:
            said.append(f"its tag has another integrity: {address}")
        if digest(load(address)) != script.integrity:
            said.append(f"its content is another: {address}")
    if not found.loaded:
        said.append("the page has no script at all")
    return [*said, *_headers(headers, found.nonces)]


def _headers(headers: Mapping[str, str], nonces: set[str]) -> Iterator[str]:
    policy = headers.get("content-security-policy", "")
    rules = {name: value for name, _, value in (part.strip().partition(" ") for part in policy.split(";"))}
    allowed = rules.get("script-src", "")
    if rules.get("default-src") != "'none'" or allowed.split() != [f"'nonce-{nonce}'" for nonce in sorted(nonces)]:
        yield f"the policy allows other scripts: {policy or 'none'}"
    if "frame-ancestors" not in rules or "form-action" not in rules or rules.get("base-uri") != "'none'":
        yield f"the policy lacks a rule: {policy or 'none'}"
    for name, wanted in (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")):
        if headers.get(name) != wanted:
            yield f"{name} is not {wanted}"


class _Scripts(HTMLParser):
    """What could run in a page: (address, integrity) of loaded scripts, and everything inline."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[tuple[str, str]] = []
        self.inline: list[str] = []
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
        if tag in ("iframe", "object", "embed", "base"):
            self.inline.append(f"<{tag}>")
        self.inline += [f"<{tag} {name}>" for name in attributes if name.startswith("on")]
        self.inline += [f"<{tag} javascript:>" for value in attributes.values() if "javascript:" in value.lower()]
