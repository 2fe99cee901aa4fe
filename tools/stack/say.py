"""What the person at the terminal reads."""

import os
import sys
import time

# Handed on when root becomes the service account, so that the time is counted from the start.
BEGUN = "ZAHLWERK_BEGUN"
_begun = float(os.environ.pop(BEGUN, time.monotonic()))


def say(text: str) -> None:
    """One line with the seconds since the start; a closed terminal is no reason to fail."""
    write(f"[{seconds():6.1f} s] {text}\n")


def write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError):
        pass


def seconds() -> float:
    return time.monotonic() - _begun


def begun() -> float:
    """The start on the machine's monotonic clock."""
    return _begun
