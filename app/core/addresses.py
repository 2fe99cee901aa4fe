"""Which addresses are on the public internet. In live mode nothing of ours connects to any other (core/http.py)."""

import ipaddress
import socket
import threading
from concurrent.futures import Future

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_TRIED = 4
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")


class NotPublicAddress(OSError):
    """A name that points to a private network, a loopback or the like."""


class LookUpTooSlow(OSError):
    """The resolver has not answered in time."""


def public_addresses(host: str, port: int) -> tuple[str, ...]:
    """What a name points to just now, preferred first. Who connects to these and asks nobody again is where it was
    looked. One private address among them refuses all. Raises NotPublicAddress; OSError for an unknown name."""
    return _public(host, _asked(host, port))[:MOST_TRIED]


def looked_up(host: str, port: int, seconds: float, *, only_public: bool = True) -> tuple[str, ...]:
    """The same within `seconds`; without `only_public` private addresses too. Raises LookUpTooSlow, what
    public_addresses() raises.

    The system's resolver has no time-out of ours: it is asked in a thread that nobody waits for any longer.
    """
    try:
        found = (str(ipaddress.ip_address(host.strip("[]"))),)  # an address is no question
    except ValueError:
        found = _asked_within(host, port, seconds)
    return (_public(host, found) if only_public else found)[:MOST_TRIED]


def _asked_within(host: str, port: int, seconds: float) -> tuple[str, ...]:
    answer: Future[tuple[str, ...]] = Future()

    def ask() -> None:
        try:
            answer.set_result(_asked(host, port))
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        return answer.result(timeout=seconds)
    except TimeoutError as error:
        if answer.done():
            raise  # the resolver's own
        raise LookUpTooSlow(f"{host} was not looked up in time") from error


def _asked(host: str, port: int) -> tuple[str, ...]:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers))


def _public(host: str, found: tuple[str, ...]) -> tuple[str, ...]:
    if not all(is_public(ipaddress.ip_address(address)) for address in found):
        raise NotPublicAddress(f"{host} is not on the public internet")
    return found


def is_public(address: Address) -> bool:
    """Globally reachable, also after unwrapping IPv4 that travels inside IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64_LOCAL:
            return False
        inner = _inner(address)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64 or int(address) >> 32 == 0:  # the second: the old "IPv4-compatible" form ::a.b.c.d
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
