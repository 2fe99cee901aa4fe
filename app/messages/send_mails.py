"""`send_mails()`: hands waiting mails to the mail server, one connection for many.

A mail is leased before and recorded right after it is sent: once at least, and twice only if a worker
dies in the few milliseconds between.
"""

import smtplib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, update

from app.config import settings
from app.core import vault
from app.core.clock import now
from app.core.db import ALL, atomic, reading, table_of
from app.core.ids import uuid7
from app.merchants.models import Shop
from app.messages import letter
from app.messages.mail import CONTEXT, MAILS
from app.messages.smtp import NoMailServer, mail_server

log = structlog.get_logger()

SHOPS = table_of(Shop)
BATCH = 20
LEASE = timedelta(seconds=120)
_LONGEST_MAIL = timedelta(seconds=50)  # a server that answers each command only just in time
PATIENCE = (10, 60, 300, 900, 3600, 14400)
GIVE_UP_AFTER = timedelta(hours=72)


def send_mails(limit: int = 100) -> int:
    """Sends up to `limit` waiting mails. Returns how many were sent; stops when the mail server is away."""
    sent = 0
    for _ in range(0, limit, BATCH):
        batch = _claim(min(BATCH, limit))
        if not batch:
            return sent
        try:
            with mail_server(settings().smtp_url) as server:
                for mail in batch:
                    sent += _send(server, mail)
        except NoMailServer as error:
            log.error("no_mail_server", why=str(error), waiting=len(batch))
            for mail in batch:  # those that were recorded already are ours no more
                _postpone(mail, str(error), counts=False)
            return sent
    return sent


def _claim(count: int) -> Sequence[Mapping[str, Any]]:
    at = now()
    due = (
        select(MAILS.c.id)
        .where(
            MAILS.c.state == "pending",
            MAILS.c.due_at <= at,
            MAILS.c.leased_until.is_(None) | (MAILS.c.leased_until < at),
        )
        .order_by(MAILS.c.due_at)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    with atomic(ALL) as connection:
        rows = connection.execute(
            update(MAILS)
            .where(MAILS.c.id.in_(due.scalar_subquery()))
            .values(leased_until=at + LEASE, lease=uuid7())
            .returning(*MAILS.c)
        )
        return sorted((dict(row) for row in rows.mappings()), key=lambda mail: mail["due_at"])


def _send(server: smtplib.SMTP, mail: Mapping[str, Any]) -> int:
    """One mail: 1 if it was sent. Raises NoMailServer when the connection is gone."""
    if mail["leased_until"] - now() < _LONGEST_MAIL:
        _postpone(mail, None, counts=False)
        return 0
    try:
        content = vault.unseal_json(mail["sealed"], CONTEXT)
        message = letter.write(mail["id"], mail["name"], content, _shop(content["shop_id"]))
    except letter.BadAddress:
        _finish(mail, "failed", "the address cannot be read")
        return 0
    except Exception as error:  # a letter with a fault must not stop the others
        log.error("letter_raised", letter=mail["name"], error=type(error).__name__)
        _postpone(mail, type(error).__name__, counts=True)
        return 0
    return _handed_over(server, mail, message)


def _handed_over(server: smtplib.SMTP, mail: Mapping[str, Any], message: EmailMessage) -> int:
    try:
        server.send_message(message)
    except smtplib.SMTPNotSupportedError:
        _finish(mail, "failed", "the mail server does not know such addresses")
    except smtplib.SMTPRecipientsRefused as error:
        _refused(mail, next(iter(error.recipients.values()))[0])
    except smtplib.SMTPSenderRefused as error:  # our own address is at fault, not this mail
        _refused(mail, min(error.smtp_code, 499))
    except smtplib.SMTPResponseException as error:
        _refused(mail, error.smtp_code)
    except (OSError, smtplib.SMTPException) as error:  # perhaps because of this mail: it may not come first for ever
        _postpone(mail, type(error).__name__, counts=True)
        raise NoMailServer(type(error).__name__) from error
    else:
        _finish(mail, "sent", None)
        return 1
    return 0


def _shop(shop_id: str | None) -> Mapping[str, Any] | None:
    if shop_id is None:
        return None
    with reading(ALL) as connection:
        row = connection.execute(select(SHOPS).where(SHOPS.c.id == UUID(shop_id))).mappings().first()
    return dict(row) if row else None


def _refused(mail: Mapping[str, Any], code: int) -> None:
    """5xx is a no for good, 4xx a not now (RFC 5321, 4.2.1)."""
    if code >= 500:
        _finish(mail, "failed", f"SMTP {code}")
    else:
        _postpone(mail, f"SMTP {code}", counts=True)


def _finish(mail: Mapping[str, Any], state: str, error: str | None) -> None:
    sent_at = now() if state == "sent" else None
    _record(mail, state=state, attempts=mail["attempts"] + 1, last_error=error, sent_at=sent_at)


def _postpone(mail: Mapping[str, Any], error: str | None, *, counts: bool) -> None:
    """`counts=False`: not the mail's fault; it is tried again in half a minute."""
    if not counts:
        _record(mail, due_at=now() + timedelta(seconds=30), last_error=error)
        return
    if now() >= mail["created_at"] + GIVE_UP_AFTER:
        _finish(mail, "failed", error)
        return
    patience = PATIENCE[min(mail["attempts"], len(PATIENCE) - 1)]
    due: datetime = now() + timedelta(seconds=patience)
    _record(mail, attempts=mail["attempts"] + 1, due_at=due, last_error=error)


def _record(mail: Mapping[str, Any], **values: Any) -> None:
    with atomic(ALL) as connection:
        connection.execute(
            update(MAILS)
            .where(MAILS.c.id == mail["id"], MAILS.c.lease == mail["lease"], MAILS.c.state == "pending")
            .values(lease=None, leased_until=None, **values)
        )
