"""Talking to Stripe: form-encoded requests, JSON answers, and what an error means.

Sources: docs.stripe.com/api/errors, /api/idempotent_requests (keys live at least 24 hours; a repeated key
brings back the first answer with the header `Idempotent-Replayed`; other parameters under it are refused).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from app.connectors._reading import json_object, masked, part, text
from app.connectors._stripe_words import DECLINES, IN_DOUBT
from app.connectors._talk import Stopped, Talk
from app.connectors.kinds import DeclineCode
from app.core.http import Response

API_VERSION = "2024-06-20"
DEFAULT_URL = "https://api.stripe.com"


@dataclass
class Conversation(Talk):
    replayed: bool = False  # was the last answer one that Stripe had kept?

    def post(self, path: str, parameters: Mapping[str, object], key: str | None = None) -> dict[str, Any]:
        """An object. Raises NotSent, and Stopped for everything that is not a plain yes."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if key:
            headers["Idempotency-Key"] = key
        body = urlencode({name: value for name, value in parameters.items() if value not in (None, "")})
        return self._object(self._call("POST", path, headers, body.encode()))

    def get(self, path: str, parameters: Mapping[str, object] | None = None) -> dict[str, Any]:
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._object(self._call("GET", path + query, {}, None))

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

    def _call(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        url = (self.contract.settings.get("url") or DEFAULT_URL).rstrip("/") + path
        known = {"Authorization": f"Bearer {self.contract.settings['secret_key']}", "Stripe-Version": API_VERSION}
        return self.send(method, url, {**known, **headers}, body)

    def _object(self, response: Response) -> dict[str, Any]:
        found = json_object(response.body)
        if found is None:
            raise self.unknown("provider_answer_garbled", status=response.status)
        if response.status == 200 and text(found.get("object")):
            self.replayed = response.headers.get("idempotent-replayed") == "true"
            return found
        raise self._refused(response.status, part(found, "error"))

    def _refused(self, status: int, error: Mapping[str, Any]) -> Stopped:
        """What an error object means. Only an explicit no is a no."""
        kind, code, decline = (text(error.get(name)) for name in ("type", "code", "decline_code"))
        word = masked(decline or code or kind, self.hide)
        if kind == "idempotency_error" or code in IN_DOUBT or status not in (400, 401, 402, 403, 404):
            return self.unknown("provider_answer_open", status=status, word=word)
        if status in (401, 403):
            reason = DeclineCode.CONFIGURATION
        elif code == "payment_intent_unexpected_state":
            done = part(error, "payment_intent").get("status") in ("succeeded", "canceled")
            reason = DeclineCode.ALREADY_DONE if done else DeclineCode.PROVIDER_DECLINED
        elif kind in ("card_error", "invalid_request_error"):
            reason = DECLINES.get(decline or code or "")
            if reason is None:
                self.note("provider_word_unknown", status=status, word=word)
                reason = DeclineCode.PROVIDER_DECLINED
        else:
            return self.unknown("provider_word_unknown", status=status, word=word)
        return self.refused(reason, word, error.get("message"))
