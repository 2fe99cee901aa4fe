"""Sealing (AES-256-GCM with a key ring) and blind indexes (keyed HMAC-SHA256).

Sealed bytes: key number (1 byte), nonce (12), ciphertext and tag. `context` (such as
`contracts.settings`) is authenticated, so that a sealed value cannot be moved to another column.
A sealed column says so in its model, `mapped_column(LargeBinary, info=sealed("contracts.settings"))`: then it takes
part when keys are rotated (app/core/rotate.py).
"""

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.config import settings
from app.core.ring import key_of, ring


class CannotOpen(Exception):
    """The sealed value was changed, belongs elsewhere, or its key is no longer in the ring."""


Context = str | Callable[[Mapping[str, Any]], str]


def sealed(context: Context) -> dict[str, Any]:
    """For the `info` of a column. `context`: the same for all rows, or what makes it of a row."""
    return {"sealed": context}


def seal(plain: bytes, context: str) -> bytes:
    keys = ring()
    number = max(keys)
    nonce = os.urandom(12)
    return bytes([number]) + nonce + AESGCM(keys[number]).encrypt(nonce, plain, context.encode())


def unseal(sealed: bytes, context: str) -> bytes:
    """Raises CannotOpen."""
    key = key_of(sealed[0]) if sealed else None
    if key is None:
        raise CannotOpen(context)
    try:
        return AESGCM(key).decrypt(sealed[1:13], sealed[13:], context.encode())
    except InvalidTag:
        raise CannotOpen(context) from None


def seal_json(value: Any, context: str) -> bytes:
    return seal(json.dumps(value, separators=(",", ":"), sort_keys=True).encode(), context)


def unseal_json(sealed: bytes, context: str) -> Any:
    return json.loads(unseal(sealed, context))


def blind_index(plain: str, purpose: str) -> bytes:
    """A keyed fingerprint that finds a value again without revealing it. 32 bytes."""
    return hmac.digest(settings().keys.blind, f"{purpose}\0{plain}".encode(), hashlib.sha256)


def page_signature(*parts: str) -> str:
    """Signature of what a page hands out and gets back (links, form tokens). 32 hex digits."""
    return hmac.digest(settings().keys.page, "\0".join(parts).encode(), hashlib.sha256).hex()[:32]
