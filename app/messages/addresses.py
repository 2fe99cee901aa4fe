"""Where a webhook may go: no private networks, no credentials, no surprises behind a name.

The form of a URL is checked when it is saved (`checked_url`), its addresses then too if the door can
wait for DNS (`refuse_private`), and again at every delivery: what was resolved and checked is what is
connected to (`resolve`, pinned), so that a name cannot point elsewhere a moment later. core/http.py looks once more at
every address it connects to, whoever calls.
"""

import ipaddress
import socket
import time
from urllib.parse import urlsplit

from app.config import settings
from app.core.addresses import Address, is_public
from app.core.errors import Refusal
from app.core.texts import N_

LONGEST_URL = 1000
_KEPT_SECONDS = 30.0
_MOST_KEPT = 5000


class BadUrl(Refusal):
    code = "bad_url"
    message = N_("This is not a URL that webhooks can be sent to.")
    advice = N_("Use an https:// address without user name, password or fragment.")


class NotPublic(Refusal):
    code = "url_not_public"
    message = N_("This address is not on the public internet.")
    advice = N_("Use an address that can be reached from outside; private networks are not allowed.")


class NameUnknown(Refusal):
    code = "url_unknown_host"
    message = N_("There is no host of this name.")
    advice = N_("Check the spelling, or add the name to your DNS first.")


def checked_url(url: str) -> str:
    """The URL if its form is right and no address in it is private. Asks nobody. Raises BadUrl, NotPublic."""
    host, _ = _host_and_port(url)
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        name = host.rstrip(".").lower()
        if not settings().allow_private_endpoints and (name == "localhost" or name.endswith(".localhost")):
            raise NotPublic(param="url") from None
        return url
    _refuse_unless_public([literal])
    return url


def refuse_private(url: str) -> None:
    """For doors, before they open a transaction: looks the name up. Raises BadUrl, NotPublic, NameUnknown."""
    checked_url(url)
    if settings().allow_private_endpoints:
        return
    resolve(url)


_resolved: dict[str, tuple[float, tuple[str, ...]]] = {}


def resolve(url: str) -> tuple[str, ...]:
    """The addresses a delivery may connect to, preferred first; an answer is kept for 30 s.

    One private address among them refuses all. Raises BadUrl, NotPublic, NameUnknown.
    """
    kept = _resolved.get(url)
    if kept is None or kept[0] < time.monotonic():
        addresses = _looked_up(*_host_and_port(url))
        _refuse_unless_public([ipaddress.ip_address(address) for address in addresses])
        if len(_resolved) > _MOST_KEPT:
            _resolved.clear()
        kept = _resolved[url] = (time.monotonic() + _KEPT_SECONDS, addresses)
    return kept[1]


def _refuse_unless_public(addresses: list[Address]) -> None:
    if settings().allow_private_endpoints:
        return
    if not all(is_public(address) for address in addresses):
        raise NotPublic(param="url")


def _host_and_port(url: str) -> tuple[str, int]:
    if (
        len(url) > LONGEST_URL
        or not url.isascii()
        or not url.isprintable()
        or any(sign in url for sign in ' "<>\\^`{|}')
    ):
        raise BadUrl(param="url")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadUrl(param="url") from None
    schemes = ("https", "http") if settings().allow_private_endpoints else ("https",)
    if parts.scheme not in schemes or not host or "%" in host or "@" in parts.netloc or "#" in url or port == 0:
        raise BadUrl(param="url")
    return host, port or (443 if parts.scheme == "https" else 80)


def _looked_up(host: str, port: int) -> tuple[str, ...]:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except (OSError, UnicodeError):
        answers = []
    if not answers:
        raise NameUnknown(param="url")
    return tuple(dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers))
