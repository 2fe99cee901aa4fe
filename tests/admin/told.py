"""What members of staff are told to have done, request by request: no success without an event."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import g, has_request_context, message_flashed, request, request_finished, request_started

from app.core import db
from app.core.events import STAFF

# Answers to a button that change nothing: what is said with them needs no event.
CHANGES_NOTHING = frozenset({"entrance.confirm"})


@contextmanager
def watched(app: Any) -> Iterator[list[str]]:
    """Collects what was said to have been done ("good" messages) in requests in which nothing was told of staff."""
    untold: list[str] = []

    def begin(_app: Any, **_more: Any) -> None:
        g.told_here, g.said_here = [], []

    def note(work: db.Transaction) -> None:
        if has_request_context() and "told_here" in g:
            g.told_here += [one["name"] for one in work.told if one["actor"].startswith(STAFF)]

    def said(_app: Any, message: str, category: str, **_more: Any) -> None:
        if category == "good":
            g.said_here.append(message)

    def end(_app: Any, **_more: Any) -> None:
        silent = request.method == "POST" and g.get("said_here") and not g.get("told_here")
        if silent and request.endpoint not in CHANGES_NOTHING:
            untold.append(f"{request.endpoint}: {g.said_here}")

    db._before_commit.insert(0, note)
    try:
        with (
            request_started.connected_to(begin, app),
            message_flashed.connected_to(said, app),
            request_finished.connected_to(end, app),
        ):
            yield untold
    finally:
        db._before_commit.remove(note)


@contextmanager
def heard() -> Iterator[list[str]]:
    """Names of the events that are told in the block with a member of staff as actor."""
    names: list[str] = []

    def note(work: db.Transaction) -> None:
        names.extend(one["name"] for one in work.told if one["actor"].startswith(STAFF))

    db._before_commit.insert(0, note)
    try:
        yield names
    finally:
        db._before_commit.remove(note)
