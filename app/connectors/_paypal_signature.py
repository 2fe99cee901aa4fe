"""The signature of PayPal's webhooks: SHA256withRSA over "transmission id|time|webhook id|CRC-32 of the body".

Checked here with PayPal's certificate, not by asking `verify-webhook-signature`: that call takes the event as
JSON again, where our encoding may differ from the signed bytes, and it makes every notification wait for
PayPal's API. The certificate is trusted because it is fetched over TLS from the API host of this very
contract and nowhere else; it is kept until it expires.
"""

import base64
import threading
import zlib
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from app.connectors._paypal_calls import base_url
from app.connectors.kinds import Contract, NewsRefused
from app.core.clock import now
from app.core.http import NoAnswer, send

_CERTIFICATES_PATH = "/v1/notifications/certs/"
_MOST_CERTIFICATES = 20


def check_signature(
    contract: Contract, headers: Mapping[str, str], body: bytes, received_at: datetime | None = None
) -> None:
    """Raises NewsRefused; NotSent or NoAnswer when the certificate cannot be had now. It must have been valid when
    the message came."""
    given = {name.lower(): value for name, value in headers.items()}
    try:
        sent, at, signature, algorithm, url = (
            given[f"paypal-{name}"]
            for name in ("transmission-id", "transmission-time", "transmission-sig", "auth-algo", "cert-url")
        )
    except KeyError as missing:
        raise NewsRefused(f"header {missing} is missing") from None
    webhook = contract.settings.get("webhook_id", "")
    if algorithm != "SHA256withRSA" or not webhook:
        raise NewsRefused("signed with an unknown algorithm, or no webhook id in the contract")
    if not _is_ours(contract, url):
        raise NewsRefused("the certificate does not come from PayPal")
    signed = f"{sent}|{at}|{webhook}|{zlib.crc32(body)}".encode("utf-8", "surrogatepass")
    try:
        key = _public_key(url, received_at or now())
        key.verify(base64.b64decode(signature, validate=True), signed, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):  # ValueError: not base64, or not even ASCII
        raise NewsRefused("wrong signature") from None


def _is_ours(contract: Contract, url: str) -> bool:
    """PayPal names the host `api` where calls go to `api-m`; scheme, port and path must fit as well."""
    try:
        asked, ours = urlsplit(url), urlsplit(base_url(contract))
    except ValueError:  # anybody can send "http://["
        return False
    hosts = {ours.netloc, ours.netloc.replace("api-m.", "api.", 1)}
    return (
        asked.scheme == ours.scheme
        and asked.netloc in hosts
        and asked.path.startswith(ours.path + _CERTIFICATES_PATH)
        and ".." not in asked.path
    )


_certificates: dict[str, x509.Certificate] = {}
_lock = threading.Lock()


def _public_key(url: str, at: datetime) -> rsa.RSAPublicKey:
    with _lock:
        certificate = _certificates.get(url)
    if certificate is None:
        certificate = _fetch(url)
        with _lock:
            if len(_certificates) >= _MOST_CERTIFICATES:
                _certificates.clear()
            _certificates[url] = certificate
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise NewsRefused("the certificate has expired")
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise NewsRefused("not an RSA certificate")
    return key


def _fetch(url: str) -> x509.Certificate:
    response = send("GET", url)
    if response.status >= 500:
        raise NoAnswer(f"no certificate now (http {response.status})")
    try:
        return x509.load_pem_x509_certificate(response.body)
    except ValueError:
        raise NewsRefused("no certificate at its address") from None
