"""Ids: UUID version 7 inside (RFC 9562, sorted by time), `pay_` + Crockford base32 outside."""

import os
import threading
from datetime import datetime
from uuid import UUID

from app.core.clock import now
from app.core.errors import NotFound

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26
_FEWEST = 4  # letters of an id that are enough to look for it

_lock = threading.Lock()
_last = 0
_SECOND = 1000 << 12


def uuid7() -> UUID:
    """A new id: 48 bits of milliseconds, 12 bits of fractions of one, 62 random bits.

    Ids of one process rise strictly, even within a millisecond (RFC 9562, 6.2, method 3).
    """
    global _last
    with _lock:
        tick = _tick()
        replayed = tick < _last - _SECOND  # demo data is written in the past
        tick = tick if replayed else max(tick, _last + 1)
        _last = max(_last, tick)
    value = (tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0b10 << 62 | int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=value)


def first_of(moment: datetime) -> UUID:
    """The smallest id of that millisecond: what was made before has smaller ones."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _tick() -> int:
    """The time in 4096ths of a millisecond."""
    microseconds = int(now().timestamp() * 1_000_000)
    return (microseconds // 1000 << 12) | (microseconds % 1000 << 12) // 1000


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
    if any(letter not in _VALUES for letter in body):
        raise NotFound()
    number = _number(body)
    if number >> 128:
        raise NotFound()
    return UUID(int=number)


def first_and_last(prefix: str, text: str) -> tuple[UUID, UUID] | None:
    """The range of ids whose public form begins with `text`. None: too short to mean one, or not an id's beginning."""
    head, _, body = text.lower().partition("_")
    if head != prefix or not _FEWEST <= len(body) <= _LENGTH or any(letter not in _VALUES for letter in body):
        return None
    first, last = (_number(body.ljust(_LENGTH, letter)) for letter in "0z")
    return (UUID(int=first), UUID(int=min(last, (1 << 128) - 1))) if first >> 128 == 0 else None


def _number(body: str) -> int:
    number = 0
    for letter in body:
        number = number << 5 | _VALUES[letter]
    return number
