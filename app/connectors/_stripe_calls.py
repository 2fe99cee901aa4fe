"""Talking to Stripe: form-encoded requests, JSON answers, and what an error means.

Sources: docs.stripe.com/api/errors, /api/idempotent_requests (keys live at least 24 hours; a repeated key
brings back the first answer with the header `Idempotent-Replayed`; other parameters under it are refused).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import structlog

from app.config import settings
from app.connectors._reading import json_object, masked, part, text
from app.connectors._stripe_words import DECLINES, IN_DOUBT, AmountNotWritable
from app.connectors.kinds import Answer, Contract, DeclineCode, Outcome
from app.core.http import NoAnswer, Response, send

log = structlog.get_logger()

API_VERSION = "2024-06-20"
DEFAULT_URL = "https://api.stripe.com"

Ask = TypeVar("Ask")


class Stopped(Exception):
    """A step ended the verb: `answer` is the verb's answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.outcome)


@dataclass
class Conversation:
    """The calls of one verb; together they keep core.http's deadline. `reference` goes into every answer."""

    contract: Contract
    reference: str | None = None
    hide: tuple[str, ...] = ()  # what must not come back in the provider's words
    replayed: bool = False  # was the last answer one that Stripe had kept?
    _ends: float = field(default_factory=lambda: time.monotonic() + settings().http_deadline_seconds)

    def post(self, path: str, parameters: Mapping[str, object], key: str | None = None) -> dict[str, Any]:
        """An object. Raises NotSent, and Stopped for everything that is not a plain yes."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if key:
            headers["Idempotency-Key"] = key
        body = urlencode({name: value for name, value in parameters.items() if value not in (None, "")})
        return self._object(self._send("POST", path, headers, body.encode()))

    def get(self, path: str, parameters: Mapping[str, object] | None = None) -> dict[str, Any]:
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._object(self._send("GET", path + query, {}, None))

    def read(self, what: str) -> dict[str, Any]:
        """The object that `reference` names: `payment_intents`, `setup_intents` or `refunds`."""
        expand = {"payment_intents": "latest_charge", "setup_intents": "payment_method"}.get(what)
        return self.get(f"/v1/{what}/{self.path_reference()}", {"expand[]": expand} if expand else None)

    def id_of(self, found: Mapping[str, Any]) -> str:
        id_ = text(found.get("id"))
        if id_ is None:
            raise self.unknown("provider_answer_garbled", field="id")
        return id_

    def path_reference(self, reference: str | None = None) -> str:
        """A reference as part of a path."""
        known = reference or self.reference
        assert known, "Stripe is asked about something that has no reference"
        return quote(known, safe="")

    def unknown(self, what: str, **words: object) -> Stopped:
        """The end of a verb whose outcome nobody can tell; logged."""
        log.warning(what, provider="stripe", contract=self.contract.id, reference=self.reference, **words)
        return Stopped(Answer(Outcome.UNKNOWN, provider_reference=self.reference, message=what))

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise self.unknown("provider_took_too_long")
        url = (self.contract.settings.get("url") or DEFAULT_URL).rstrip("/") + path
        known = {"Authorization": f"Bearer {self.contract.settings['secret_key']}", "Stripe-Version": API_VERSION}
        try:
            return send(method, url, headers={**known, **headers}, body=body, deadline_seconds=left)
        except NoAnswer:
            raise self.unknown("provider_silent") from None

    def _object(self, response: Response) -> dict[str, Any]:
        found = json_object(response.body)
        if found is None:
            raise self.unknown("provider_answer_garbled", status=response.status)
        if response.status == 200 and text(found.get("object")):
            self.replayed = response.headers.get("idempotent-replayed") == "true"
            return found
        raise self.refused(response.status, part(found, "error"))

    def refused(self, status: int, error: Mapping[str, Any]) -> Stopped:
        """What an error object means. Only an explicit no is a no."""
        kind, code, decline = (text(error.get(name)) for name in ("type", "code", "decline_code"))
        word = masked(decline or code or kind, self.hide)
        said = {"status": status, "word": word}
        if kind == "idempotency_error" or code in IN_DOUBT or status not in (400, 401, 402, 403, 404):
            return self.unknown("provider_answer_open", **said)
        if status in (401, 403):
            reason = DeclineCode.CONFIGURATION
        elif code == "payment_intent_unexpected_state":
            state = part(error, "payment_intent").get("status")
            done = state in ("succeeded", "canceled")
            reason = DeclineCode.ALREADY_DONE if done else DeclineCode.PROVIDER_DECLINED
        elif kind in ("card_error", "invalid_request_error"):
            reason = DECLINES.get(decline or code or "")
            if reason is None:
                log.warning("provider_word_unknown", provider="stripe", contract=self.contract.id, **said)
                reason = DeclineCode.PROVIDER_DECLINED
        else:
            return self.unknown("provider_word_unknown", **said)
        return Stopped(self.declined(reason, word, error.get("message")))

    def declined(self, code: DeclineCode, word: str | None, message: object = None) -> Answer:
        return Answer(
            Outcome.DECLINED,
            provider_reference=self.reference,
            code=code,
            provider_code=word,
            message=masked(message, self.hide),
        )


def run(contract: Contract, verb: Callable[[Conversation, Ask], Answer], ask: Ask) -> Answer:
    """Runs one verb to its end. Raises NotSent."""
    talk = Conversation(contract)
    try:
        return verb(talk, ask)
    except Stopped as stopped:
        return stopped.answer
    except AmountNotWritable:
        return talk.declined(DeclineCode.AMOUNT_NOT_ALLOWED, None)
