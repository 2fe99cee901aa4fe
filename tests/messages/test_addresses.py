"""Where webhooks may go."""

import socket
from ipaddress import ip_address

import pytest

from app.messages import addresses
from app.messages.addresses import BadUrl, NameUnknown, NotPublic, checked_url, is_public, refuse_private, resolve


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_public_addresses_are_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1"),
        *("2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:f5ff:fffe"),
    ],
)
def test_private_addresses_are_not_in_whatever_clothes(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook",
        "ftp://shop.example/hook",
        "https://user:password@shop.example/hook",
        "https://user@shop.example/",
        "https:///hook",
        "https://shop.example/hook#part",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https://shop.example/a b",
        "https://shop.example\\@evil.example/",
        "https://shop.example/\n",
        "https://shop.example/\x00",
        "https://täter.example/",
        "https://[fe80::1%25eth0]/",
        "javascript:alert(1)",
        "",
        f"https://shop.example/{'x' * 1000}",
    ],
)
@pytest.mark.usefixtures("strict")
def test_urls_of_a_wrong_form_are_refused(url):
    with pytest.raises(BadUrl) as refusal:
        checked_url(url)
    assert refusal.value.param == "url"


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://a.localhost.",
    ],
)
@pytest.mark.usefixtures("strict")
def test_private_literals_are_refused_when_saved(url):
    with pytest.raises(NotPublic):
        checked_url(url)


@pytest.mark.usefixtures("strict")
def test_a_usual_url_is_accepted_as_it_is():
    assert checked_url("https://shop.example:8443/hooks?shop=1&x=%20") == "https://shop.example:8443/hooks?shop=1&x=%20"


@pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "127.1", "localhost.localdomain"])
@pytest.mark.usefixtures("strict")
def test_names_that_the_system_reads_as_loopback_do_not_get_through(host):
    with pytest.raises((NotPublic, NameUnknown)):
        refuse_private(f"https://{host}/")


@pytest.mark.usefixtures("strict")
def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch):
    _answers(monkeypatch, ["8.8.8.8", "192.168.0.1"])
    with pytest.raises(NotPublic):
        resolve("https://two-faced.example/")


@pytest.mark.usefixtures("strict")
def test_a_name_that_points_elsewhere_later_is_looked_up_anew(monkeypatch):
    _answers(monkeypatch, ["8.8.8.8"])
    assert resolve("https://rebinding.example/") == ("8.8.8.8",)
    _answers(monkeypatch, ["127.0.0.1"])
    assert resolve("https://rebinding.example/") == ("8.8.8.8",)  # for half a minute, and this is what is connected to
    monkeypatch.setattr(addresses, "_KEPT_SECONDS", -1)
    monkeypatch.setattr(addresses, "_resolved", {})
    with pytest.raises(NotPublic):
        resolve("https://rebinding.example/")


def test_where_private_endpoints_are_allowed_loopback_and_http_are():
    refuse_private("http://127.0.0.1:8701/hooks")
    assert resolve("http://localhost:8701/hooks")


def _answers(monkeypatch, given: list[str]) -> None:
    """What DNS says; the resolver of the system is the one thing here that cannot be told what to answer."""

    def answer(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in given]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", answer)
