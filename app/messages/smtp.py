"""The way to the mail server: `smtp://host:port`, `starttls://user:password@host:587`, `smtps://user:password@host`."""

import ipaddress
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import certifi

from app.core.db import refuse_inside_transaction

SECONDS = 10.0
_PORTS = {"smtp": 25, "starttls": 587, "smtps": 465}


class NoMailServer(Exception):
    """The server cannot be reached or does not let us in; the mails themselves are not at fault."""


class BadSmtpUrl(ValueError):
    """SMTP_URL cannot be used; the message says why and quotes no password."""


@contextmanager
def mail_server(url: str) -> Iterator[smtplib.SMTP]:
    """A connection that is ready to send. Raises NoMailServer, BadSmtpUrl. Must not be open inside `atomic()`."""
    refuse_inside_transaction()
    try:
        server = _connected(url)
    except (OSError, smtplib.SMTPException) as error:
        raise NoMailServer(f"{type(error).__name__}: {_without_address(error)}") from error
    try:
        yield server
    finally:
        _goodbye(server)


def _connected(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not host:
        raise BadSmtpUrl("SMTP_URL must begin with smtp://, starttls:// or smtps:// and name a host")
    if parts.scheme == "smtp" and parts.username and not _is_loopback(host):
        raise BadSmtpUrl("SMTP_URL would send a password in clear: use starttls:// or smtps://")
    port = parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context(cafile=certifi.where())
    us = socket.gethostname()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, port, us, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, us, timeout=SECONDS)
    try:
        if parts.scheme == "starttls":
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except (OSError, smtplib.SMTPException):
        server.close()
        raise
    return server


def _goodbye(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _without_address(error: Exception) -> str:
    """What the server said, without quoting what we sent it."""
    code = getattr(error, "smtp_code", None)
    return f"code {code}" if code else str(error)[:100] if isinstance(error, OSError) else ""
