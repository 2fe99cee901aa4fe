"""Ids: UUID version 7 inside (RFC 9562, sorted by time), `pay_` + Crockford base32 outside."""

import os
import time
from uuid import UUID

from app.core.errors import NotFound

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26


def uuid7() -> UUID:
    """A new id: 48 bits of milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF000 << 64)) | (0x7000 << 64)
    value = (value & ~(0xC000 << 48)) | (0x8000 << 48)
    return UUID(int=value)


def public_id(prefix: str, value: UUID) -> str:
    """UUID -> `pay_01h455vb4pex5vsknk084sn02q`."""
    number = value.int
    letters = []
    for _ in range(_LENGTH):
        letters.append(_ALPHABET[number & 31])
        number >>= 5
    return f"{prefix}_{''.join(reversed(letters))}"


def parse_id(prefix: str, text: str) -> UUID:
    """The reverse. Raises NotFound for anything that is not such an id: a malformed id is an unknown one."""
    head, _, body = text.partition("_")
    if head != prefix or len(body) != _LENGTH:
        raise NotFound()
    number = 0
    for letter in body:
        if letter not in _VALUES:
            raise NotFound()
        number = number << 5 | _VALUES[letter]
    if number >> 128:
        raise NotFound()
    return UUID(int=number)
