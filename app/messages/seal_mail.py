"""The newest seal as a mail to the auditor: plain text, in both languages, with nothing personal in it."""

import socket
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from app.config import settings
from app.core.clock import now
from app.messages.smtp import mail_server

_SUBJECT = "Zahlwerk: Siegel {position} / seal {position}"
_TEXT = """\
Das neueste Siegel des Ereignisprotokolls. Bewahren Sie diese Nachricht auf: Mit ihr lässt sich beweisen, dass bis
zu dieser Stelle seitdem nichts geändert wurde.

The newest seal of the log of events. Keep this message: it proves that nothing up to this place was changed since.

zahlwerk-seal {position}:{seal}

flask --app wsgi audit verify --against {position}:{seal}
{address}
"""


def send(to: str, position: int, seal: str) -> None:
    """Sends it now. Raises NoMailServer, smtplib.SMTPException, ValueError for an address that is none."""
    sender, address = parseaddr(settings().mail_from)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _SUBJECT.format(position=position)
    message["From"] = Address(sender, addr_spec=address)
    message["To"] = Address(addr_spec=to)
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<seal-{position}-{seal[:16]}@{address.rpartition('@')[2] or socket.gethostname()}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_TEXT.format(position=position, seal=seal, address=settings().public_url))
    with mail_server(settings().smtp_url) as server:
        server.send_message(message)
