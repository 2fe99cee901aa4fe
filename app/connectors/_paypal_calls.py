"""Talking to PayPal's REST API: access tokens, deadlines, and what an HTTP answer means."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import structlog

from app.config import settings
from app.connectors._paypal_words import REFUSALS
from app.connectors._reading import masked
from app.connectors.kinds import Answer, Checked, Contract, DeclineCode, Outcome, Reached
from app.core.http import NoAnswer, NotSent, Response, send

log = structlog.get_logger()

DEFAULT_URL = "https://api-m.paypal.com"
TOKEN_MARGIN_SECONDS = 60
LONGEST_REQUEST_ID = 108


@dataclass(frozen=True, slots=True)
class Said:
    """An answer. `status` 0: silence. `data` None: no JSON object, so nothing that could be believed."""

    status: int
    data: Mapping[str, Any] | None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300 and self.data is not None

    @property
    def word(self) -> str | None:
        """The issue of a refusal, or its name where PayPal gives no details."""
        data = self.data or {}
        details = data.get("details")
        first = details[0] if isinstance(details, list) and details and isinstance(details[0], Mapping) else {}
        word = first.get("issue") or data.get("name")
        return word if isinstance(word, str) else None


SILENCE = Said(0, None)


@dataclass
class Conversation:
    """The calls of one verb. Together they keep core.http's deadline."""

    contract: Contract
    _ends: float = field(default_factory=lambda: time.monotonic() + settings().http_deadline_seconds)

    def post(self, path: str, body: Mapping[str, Any], request_id: str | None = None) -> Said:
        """Raises NotSent. Silence is `SILENCE`."""
        headers = {"PayPal-Request-Id": request_id} if request_id else {}
        return self._call("POST", path, headers, json.dumps(body, separators=(",", ":")).encode())

    def get(self, path: str) -> Said:
        """Raises NotSent. Silence is `SILENCE`."""
        return self._call("GET", path, {}, None)

    def look(self, path: str) -> Said:
        """A question after a call that may have moved money. That this question was not sent proves
        nothing about the call before it, so here, and only here, NotSent is silence."""
        try:
            return self.get(path)
        except NotSent:
            return SILENCE

    def _call(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Said:
        token = _access(self.contract).token(self)
        said = self._send(method, path, headers, body, token) if token else _BAD_CREDENTIALS
        if said.status == 401 and token:  # thrown away by PayPal before its time; a 401 did nothing, so once more
            token = _access(self.contract).token(self, stale=token)
            said = self._send(method, path, headers, body, token) if token else _BAD_CREDENTIALS
        if said.status == 429:
            raise NotSent("PayPal turned the request away unread: too many requests")
        return said

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, token: str) -> Said:
        try:
            response = send(
                method,
                base_url(self.contract) + path,
                headers={
                    "Authorization": f"Bearer {token}",
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                    "Prefer": "return=representation",
                    **headers,
                },
                body=body,
                deadline_seconds=self.seconds_left(),
            )
        except NoAnswer:
            return SILENCE
        return Said(response.status, {} if response.status == 204 else _json_object(response.body))

    def seconds_left(self) -> float:
        """Raises NotSent when the verb's time is used up."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise NotSent("the deadline passed before this call")
        return left


def base_url(contract: Contract) -> str:
    return (contract.settings.get("url") or DEFAULT_URL).rstrip("/")


def request_id(operation_key: str, step: str) -> str:
    """The idempotency key of one step of an operation: the same on every repeat."""
    key = f"{operation_key}-{step}"
    return key if len(key) <= LONGEST_REQUEST_ID else hashlib.sha256(key.encode()).hexdigest()


def refusal(said: Said, provider_reference: str | None = None) -> Answer:
    """What an answer that is not a yes means. Only a listed word is a no: a conflict, a fault at PayPal,
    silence, or a word nobody here knows leaves it open."""
    word = said.word
    code = REFUSALS.get(word or "") if said.status in (400, 401, 403, 404, 422) else None
    if code is None:
        return unknown(word or f"http {said.status}", provider_reference)
    message = (said.data or {}).get("message")
    return Answer(
        Outcome.DECLINED,
        provider_reference=provider_reference,
        code=code,
        provider_code=word,
        message=message if isinstance(message, str) else None,
    )


def unknown(word: object, provider_reference: str | None = None) -> Answer:
    """Logs and returns UNKNOWN for a word, a form or a silence that proves nothing."""
    log.warning("paypal.not_understood", word=str(word)[:60], provider_reference=provider_reference)
    return Answer(Outcome.UNKNOWN, provider_reference=provider_reference, provider_code=str(word)[:60])


def declined(code: DeclineCode, provider_code: str | None = None, provider_reference: str | None = None) -> Answer:
    return Answer(Outcome.DECLINED, provider_reference=provider_reference, code=code, provider_code=provider_code)


_BAD_CREDENTIALS = Said(401, {"name": "AUTHENTICATION_FAILURE"})


@dataclass
class _Access:
    """The access token of one contract in this process, fetched by one thread at a time."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _token: str | None = None
    _until: float = 0.0

    def token(self, paypal: Conversation, *, stale: str | None = None) -> str | None:
        """None when PayPal refuses our credentials. Raises NotSent when no token could be had."""
        with self._lock:
            if self._token is None or self._token == stale or time.monotonic() >= self._until:
                self._token, self._until = _fetch_token(paypal)
            return self._token


def _fetch_token(paypal: Conversation) -> tuple[str | None, float]:
    try:
        response = _ask_for_token(paypal)
    except NoAnswer as silence:  # silence about the token is proof that the payment itself was not sent
        raise NotSent("no answer to the request for an access token") from silence
    if response.status in (400, 401, 403):
        return None, 0.0
    token, seconds = _token_in(response)
    if token is None:
        raise NotSent(f"no access token (http {response.status})")
    return token, time.monotonic() + max(0.0, seconds - TOKEN_MARGIN_SECONDS)


def credentials_work(paypal: Conversation) -> Checked:
    """Asks for an access token and throws it away. Raises NotSent, NoAnswer."""
    response = _ask_for_token(paypal)
    if response.status in (400, 401, 403):
        word = (_json_object(response.body) or {}).get("error")
        return Checked(Reached.REFUSED, masked(word))
    return Checked(Reached.WORKS if _token_in(response)[0] else Reached.UNCLEAR)


def _ask_for_token(paypal: Conversation) -> Response:
    client_id, secret = (paypal.contract.settings.get(name, "") for name in ("client_id", "client_secret"))
    credentials = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return send(
        "POST",
        base_url(paypal.contract) + "/v1/oauth2/token",
        headers={"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode({"grant_type": "client_credentials"}).encode(),
        deadline_seconds=paypal.seconds_left(),
    )


def _token_in(response: Response) -> tuple[str | None, float]:
    data = _json_object(response.body) or {}
    token, seconds = data.get("access_token"), data.get("expires_in")
    is_token = response.status == 200 and isinstance(token, str) and isinstance(seconds, int | float)
    return (token, float(seconds)) if is_token and isinstance(seconds, int | float) else (None, 0.0)


_accesses: dict[tuple[str, ...], _Access] = {}
_accesses_lock = threading.Lock()


def _access(contract: Contract) -> _Access:
    secret = contract.settings.get("client_secret", "")
    key = (  # changed credentials must not live on the old token
        contract.id,
        base_url(contract),
        contract.settings.get("client_id", ""),
        hashlib.sha256(secret.encode()).hexdigest(),
    )
    with _accesses_lock:
        return _accesses.setdefault(key, _Access())


def _json_object(body: bytes) -> Mapping[str, Any] | None:
    try:
        data = json.loads(body)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None
