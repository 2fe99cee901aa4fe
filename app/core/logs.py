"""Structured logs: one JSON line each, with request and payment ids, and without what must not be in a log."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_TOKEN_IN_PATH = re.compile(r"(/(?:pay|return|p|reset|invite|tf-[a-z]+)/)[^/?\s\"']{8,}")
_SECRET_KEY = re.compile(r"\b((?:sk|whsec)_(?:test_|live_)?)[A-Za-z0-9+/=]{8,}")
_CARD_LIKE = re.compile(r"(?<![\w.])(?:\d[ -]?){12,18}\d(?![\w.])")


def redact(text: str) -> str:
    """Page tokens, secret keys, and digits that pass for a card number are blanked wherever they turn up."""
    text = _TOKEN_IN_PATH.sub(r"\1…", text)
    text = _SECRET_KEY.sub(r"\1…", text)
    return _CARD_LIKE.sub(lambda found: "…" if _luhn(re.sub(r"\D", "", found.group())) else found.group(), text)


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redact(value)
    return event


class _RedactingFormatter(logging.Formatter):
    """For libraries that log by themselves (Flask, RQ, granian's access log is off)."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure_logs(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_event,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever it is at that moment
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(getattr(logging, level), logging.INFO))
