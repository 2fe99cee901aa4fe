"""The ring of keys that seal, as the key file holds it now: it is looked at again every few seconds, so that a key
that is added or taken out takes effect in every running process, and nothing is restarted for it."""

import os
import threading
import time
from dataclasses import dataclass

import structlog

from app.config import Keys, SettingMissing, read_keys, settings

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 5.0
_UNKNOWN_EVERY_SECONDS = 1.0


@dataclass
class _Known:
    """What was read last. `made_from`: the settings it began with (tests replace them)."""

    made_from: Keys
    vault: dict[int, bytes]
    stamp: tuple[int, int]
    looked_at: float


_known: _Known | None = None
_looking = threading.Lock()


def ring() -> dict[int, bytes]:
    """Number -> key. The highest number seals, all of them open."""
    known = _known
    if known is None or known.made_from is not settings().keys:
        return _look().vault
    if time.monotonic() - known.looked_at > LOOK_EVERY_SECONDS:
        return _look().vault
    return known.vault


def key_of(number: int) -> bytes | None:
    """The key of this number. One that is not known yet may have been added a moment ago: the file is asked."""
    found = ring().get(number)
    if found is None and _known and time.monotonic() - _known.looked_at > _UNKNOWN_EVERY_SECONDS:
        found = _look().vault.get(number)
    return found


def _look() -> _Known:
    """Reads the file if it has changed. One that cannot be read changes nothing: what was known goes on."""
    global _known
    keys, at = settings().keys, time.monotonic()
    with _looking:
        known = _known if _known and _known.made_from is keys else None
        vault, stamp = (known.vault, known.stamp) if known else (keys.vault, (0, 0))
        try:
            found = os.stat(settings().keys_file)
            if (found.st_mtime_ns, found.st_ino) != stamp:
                fresh = read_keys(settings().keys_file).vault
                if known and fresh.keys() != vault.keys():
                    log.info("keys_changed", keys=sorted(fresh))
                vault, stamp = fresh, (found.st_mtime_ns, found.st_ino)
        except (OSError, SettingMissing) as error:
            log.error("key_file_unreadable", error=type(error).__name__)
        _known = _Known(keys, vault, stamp, at)
        return _known
