"""Talking to Adyen's Checkout API: JSON both ways, and what an error means.

Sources: docs.adyen.com/development-resources/api-idempotency (keys of at most 64 characters, valid for 31 days or more;
704 while the first request runs), /error-codes; CheckoutService-v72.json.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from app.connectors._adyen_words import ERRORS, IN_DOUBT, REFUSED_AS_SENT
from app.connectors._reading import json_object, masked, text
from app.connectors._talk import Stopped, Talk
from app.connectors.kinds import DeclineCode
from app.core.http import Response

TEST_URL = "https://checkout-test.adyen.com/v72"
LONGEST_KEY = 64
LONGEST_REFERENCE = 80


@dataclass
class Conversation(Talk):
    @property
    def account(self) -> str:
        return self.contract.settings["merchant_account"]

    def post(
        self, path: str, body: Mapping[str, Any], key: str | None = None, *, with_account: bool = True
    ) -> dict[str, Any]:
        """The answer's object; `key` for whatever changes something. Raises NotSent, and Stopped for everything that
        is not a plain yes."""
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = short_key(key)
        message = {"merchantAccount": self.account, **body} if with_account else body
        return self._object(self._call("POST", path, headers, json.dumps(message).encode()))

    def get(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        query = urlencode({"merchantAccount": self.account, **parameters})
        return self._object(self._call("GET", f"{path}?{query}", {}, None))

    def _call(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        url = (self.contract.settings.get("url") or TEST_URL).rstrip("/") + path
        return self.send(method, url, {"X-API-Key": self.contract.settings["api_key"], **headers}, body)

    def _object(self, response: Response) -> dict[str, Any]:
        found = json_object(response.body)
        if found is None:
            raise self.unknown("provider_answer_garbled", status=response.status)
        if response.status in (200, 201) and "errorCode" not in found:
            return found
        raise self._refused(response.status, found)

    def _refused(self, status: int, error: Mapping[str, Any]) -> Stopped:
        """What an error object means. Only an explicit no is a no."""
        code, kind = text(error.get("errorCode")), text(error.get("errorType"))
        word = masked(code or kind, self.hide)
        if code in IN_DOUBT:
            return self.unknown("provider_answer_open", status=status, word=word)
        reason = ERRORS.get(code or "")
        if reason is None and status in (400, 401, 403, 422) and kind in REFUSED_AS_SENT:
            self.note("provider_word_unknown", status=status, word=word)
            reason = DeclineCode.PROVIDER_DECLINED if kind == "validation" else DeclineCode.CONFIGURATION
        if reason is None:
            return self.unknown("provider_answer_open", status=status, word=word)
        return self.refused(reason, word, error.get("message"))


def short_key(key: str) -> str:
    """An idempotency key that Adyen takes; the same for the same key."""
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def path_of(reference: str, what: str) -> str:
    return f"/payments/{quote(reference, safe='')}/{what}"
