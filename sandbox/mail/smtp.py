"""The SMTP side of the mail catcher."""

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.mail.box import Mailbox


class Catcher:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        name = self._mailbox.deliver(envelope.mail_from or "", list(envelope.rcpt_tos), content)
        return f"250 caught as {name}"
