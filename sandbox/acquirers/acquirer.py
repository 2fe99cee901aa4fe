"""One acquirer: its letter, its book, what it will do later, and how it speaks."""

import hashlib
import hmac
import os
from typing import Any, cast

from sandbox.acquirers import dialects
from sandbox.acquirers.book import Authorisation, Book, Operation
from sandbox.acquirers.cards import NewsStyle
from sandbox.acquirers.control import Control
from sandbox.acquirers.dialects import Picture
from sandbox.acquirers.journal import Journal
from sandbox.acquirers.later import Later
from sandbox.acquirers.letters import Letter
from sandbox.acquirers.news import News, Teller
from sandbox.acquirers.wire import Reply


class Refused(Exception):
    """The request itself is wrong; nothing was done and nothing is remembered."""

    def __init__(self, status: int, error: str, field: str = "") -> None:
        self.status = status
        self.error = error
        self.field = field


class Acquirer:
    def __init__(self, letter: Letter, journal: Journal) -> None:
        self.letter = letter
        self.book = Book(journal)
        self.control = Control()
        self.later = Later()
        self.teller = Teller(letter.news_secret, self.later)
        self.authorization = f"Bearer {letter.api_key}".encode()
        self._key = hashlib.sha256(b"fingerprints\0" + letter.api_key.encode()).digest()

    def fingerprint(self, data: bytes) -> str:
        """Keyed, 24 hex digits: recognises a card or a request without revealing it."""
        return hmac.digest(self._key, data, "sha256").hex()[:24]

    def new_id(self, kind: str) -> str:
        return f"{self.letter.name}_{kind}_{os.urandom(8).hex()}"

    def authorisation(self, id: str) -> Authorisation:
        """Raises Refused."""
        found = self.book.authorisation(id)
        if found is None:
            raise Refused(404, "unknown_authorisation")
        return found

    def tells_anyway(self, operation: Operation) -> bool:
        """Is a notification due although the answer said it all?"""
        of_card = operation.authorisation.card.news if operation.authorisation else None
        return self.letter.tells == "all" or bool(operation.news or of_card)

    # Speaking

    def answer(self, operation: Operation, base_url: str, *, instead_of_status: str | None = None) -> Reply:
        picture = self.picture(operation, base_url)
        if instead_of_status:
            picture = {**picture, "status": instead_of_status, "reason": ""}
        status, body = dialects.encode(self.letter.dialect, picture)
        return Reply(status, body, self.letter.dialect.content_type)

    def account(self) -> Reply:
        """Whose key it is: the answer to "does this connection work?"."""
        if self.control.take_next() == "garbled":
            return Reply(200, b"<html>502 Bad Gateway", "text/html")
        dialect = self.letter.dialect
        return Reply(200, dialects.encode_fields(dialect, {"acquirer": self.letter.name}), dialect.content_type)

    def refusal(self, refused: Refused) -> Reply:
        fields = {"error": refused.error, **({"field": refused.field} if refused.field else {})}
        dialect = self.letter.dialect
        return Reply(refused.status, dialects.encode_fields(dialect, fields), dialect.content_type)

    def tell(self, operation: Operation) -> None:
        """Notifies the merchant of what an operation became."""
        authorisation = operation.authorisation
        if authorisation is None or operation.verb == "register":
            return
        self._notify(
            authorisation,
            operation.verb,
            {**self.picture(operation, ""), "news": f"{operation.id}.{operation.state}"},
            operation.news,
        )

    def tell_dispute(self, authorisation: Authorisation, picture: Picture) -> None:
        self._notify(authorisation, "dispute", {"status": "approved", **picture}, None)

    def _notify(self, authorisation: Authorisation, kind: str, picture: Picture, style: str | None) -> None:
        if not authorisation.news_url or not self.control.news:
            return
        picture = {**picture, "kind": kind, "authorisation": authorisation.id, "occurred_at": int(self.book.now())}
        _, body = dialects.encode(self.letter.dialect, picture)
        news = News(authorisation.news_url, body, self.letter.dialect.content_type, kind)
        chosen = cast(NewsStyle, style or authorisation.card.news or self.letter.news)
        self.teller.tell(news, chosen, self.control.late_seconds)

    def picture(self, operation: Operation, base_url: str) -> Picture:
        """An operation in neutral words; a dialect renders it."""
        picture: Picture = {
            "id": operation.id,
            "verb": operation.verb,
            "status": operation.state,
            "key": operation.key,
            "amount": operation.amount,
            "currency": operation.currency,
        }
        if operation.reason:
            picture["reason"] = operation.reason
            picture["message"] = operation.reason.replace("_", " ").capitalize()
        if operation.released:
            picture["released"] = operation.released
        if operation.verb in ("authorise", "register") and operation.authorisation:
            picture.update(self._about_card(operation, operation.authorisation))
        if operation.state == "action":
            picture["action_url"] = f"{base_url}/acs/{operation.acs}"
        return picture

    def _about_card(self, operation: Operation, authorisation: Authorisation) -> dict[str, Any]:
        card = authorisation.card
        about: dict[str, Any] = {
            "brand": authorisation.brand,
            "last4": authorisation.last4,
            "funding": card.funding,
            "issuer_country": card.country,
        }
        if operation.token and operation.state != "declined":
            about["token"] = operation.token
        if operation.verb == "authorise" and operation.state == "approved":
            about["scheme_transaction_id"] = str(int(operation.id[-12:], 16)).rjust(15, "0")
            about["valid_for_seconds"] = max(0, int(authorisation.expires_at - self.book.now()))
            if operation.capture:
                about["captured"] = operation.amount
        return about
