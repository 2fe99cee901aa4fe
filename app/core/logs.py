"""Structured logs: one JSON line each, ours and those of libraries, and without what must not be in a log.

Each line of a request says which request it is, who asks (`actor`) and, where there is one, the payment's id; each line
of a job says which job. Doors say it once, with `about()`; what is said ends with the request or the job.
"""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from app.core.card_numbers import luhn

_TOKEN_IN_PATH = re.compile(r"(/(?:pay|return|p|reset|invite|tf-[a-z]+)/)[^/?\s\"']{8,}")
_SECRET_KEY = re.compile(r"\b((?:sk|whsec)_(?:test_|live_)?)[A-Za-z0-9+/=]{8,}")
# Not in the middle of a word or of a decimal fraction; the end of a sentence is no fraction.
_CARD_LIKE = re.compile(r"(?<!\w)(?<!\d\.)(?:\d[ -]?){12,18}\d(?!\w)(?!\.\d)")


def redact(text: str) -> str:
    """Page tokens, secret keys, and digits that pass for a card number are blanked wherever they turn up."""
    text = _TOKEN_IN_PATH.sub(r"\1…", text)
    text = _SECRET_KEY.sub(r"\1…", text)
    return _CARD_LIKE.sub(lambda found: "…" if luhn(re.sub(r"\D", "", found.group())) else found.group(), text)


def _redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redact(value)
    return event


def about(**facts: str) -> None:
    """From now on each line of this request or job says so: actor="key:key_…", payment="pay_…"."""
    structlog.contextvars.bind_contextvars(**facts)


def nothing_yet() -> None:
    """A request or a job begins."""
    structlog.contextvars.clear_contextvars()


@contextmanager
def about_payment(payment: str) -> Iterator[None]:
    """Lines of this block are about that payment; for who deals with many, one after the other."""
    with structlog.contextvars.bound_contextvars(payment=payment):
        yield


# What our own lines and those of libraries (Flask, RQ, urllib3; granian's access log is off) have in common.
_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_LAST: list[Any] = [
    structlog.processors.format_exc_info,
    _redact_event,
    structlog.processors.JSONRenderer(ensure_ascii=False),
]


def _foreign() -> logging.Formatter:
    """The lines of libraries, in the form of ours."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_LAST],
    )


def configure_logs(level: str) -> None:
    structlog.configure(
        processors=[*_SHARED, *_LAST],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever it is at that moment
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_foreign())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(getattr(logging, level), logging.INFO))
