"""Caught messages: one file each, named by time, so that a restart and a second process see the same."""

import os
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path

_NAME = re.compile(r"\d{19}-[0-9a-f]{8}")
_LINK = re.compile(r"https?://[^\s<>\"')\]]+")


@dataclass(frozen=True)
class Mail:
    """`sender` and `recipients` are the envelope's: who really gets it."""

    id: str
    sender: str
    recipients: list[str]
    raw: bytes
    message: EmailMessage

    @property
    def received_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.id[:19]) / 1e9, UTC)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str | None:
        return self._part("plain")

    @property
    def html(self) -> str | None:
        return self._part("html")

    def _part(self, kind: str) -> str | None:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else None

    @property
    def links(self) -> list[str]:
        """Every address in text and HTML, once, in order."""
        found = _LINK.findall(self.text or "") + [unescape(link) for link in _LINK.findall(self.html or "")]
        return list(dict.fromkeys(link.rstrip(".,;:!?") for link in found))

    @property
    def attachments(self) -> list[tuple[str, str, bytes]]:
        """File name, content type, content."""
        return [
            (part.get_filename() or "unnamed", part.get_content_type(), part.get_payload(decode=True) or b"")  # type: ignore[misc]
            for part in self.message.iter_attachments()
        ]


class Mailbox:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def deliver(self, sender: str, recipients: list[str], raw: bytes) -> str:
        """Keeps a message whole or not at all. Returns its id."""
        name = f"{time.time_ns():019d}-{secrets.token_hex(4)}"
        envelope = f"{sender}\n{' '.join(recipients)}\n".encode()
        unfinished = self._folder / f".{name}"
        unfinished.write_bytes(envelope + raw)
        os.replace(unfinished, self._folder / name)
        return name

    def all(self, limit: int = 200) -> list[Mail]:
        """Newest first."""
        names = sorted((entry.name for entry in os.scandir(self._folder) if _NAME.fullmatch(entry.name)), reverse=True)
        return [mail for name in names[:limit] if (mail := self.get(name))]

    def get(self, name: str) -> Mail | None:
        if not _NAME.fullmatch(name):
            return None
        try:
            sender, recipients, raw = (self._folder / name).read_bytes().split(b"\n", 2)
        except FileNotFoundError:
            return None
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return Mail(name, sender.decode(), recipients.decode().split(), raw, message)

    def clear(self) -> int:
        """Throws every message away. Returns how many."""
        mails = self.all(limit=1_000_000)
        for mail in mails:
            (self._folder / mail.id).unlink(missing_ok=True)
        return len(mails)
