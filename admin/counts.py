"""How much open work there is, for the sidebar. Kept for a few seconds; forgotten after each change made here."""

import threading
import time
from typing import Any
from uuid import UUID

import redis
from rq.registry import FailedJobRegistry
from sqlalchemy import text

from admin.here import connection, scope, staff
from app.approvals.approvers import DECIDE
from app.approvals.inbox import decidable
from app.core import queue
from app.core.db import Scope
from app.core.runs import ALARMS
from app.payments.worklist import WAITS_FOR_STAFF_SQL

KEPT_SECONDS = 5.0

# Every part reads a small partial index or a small table.
_OPEN = text(
    f"""
    SELECT (SELECT count(*) FROM operations WHERE {WAITS_FOR_STAFF_SQL} AND live = :live) AS unknown,
           (SELECT count(*) FROM authorisations WHERE is_open AND held_for_review AND live = :live) AS reviews,
           (SELECT count(*) FROM payments
            WHERE greatest(over_captured, captured - amount) + over_returned > over_seen AND live = :live) AS over,
           (SELECT count(*) FROM disputes WHERE state IN ('inquiry', 'charged_back') AND live = :live) AS disputes,
           (SELECT count(*) FROM webhook_endpoints
            WHERE failing_since IS NOT NULL AND deleted_at IS NULL AND live = :live) AS endpoints,
           (SELECT count(*) FROM failed_reactions) AS reactions,
           (SELECT count(*) FROM unnest(CAST(:looks AS text[]), CAST(:findings AS text[])) AS l (name, finding)
            WHERE starts_with((SELECT result FROM job_runs r WHERE r.name = l.name AND r.finished_at IS NOT NULL
                               ORDER BY r.slot DESC LIMIT 1), l.finding)) AS alarms
    """  # noqa: S608 - words of our own only
)

_LOOKS = {"looks": list(ALARMS), "findings": list(ALARMS.values())}
_kept: dict[tuple[bool, Scope], tuple[float, dict[str, int]]] = {}
_decidable: dict[tuple[bool, UUID, Scope], tuple[float, int]] = {}
_lock = threading.Lock()


def open_work(live: bool) -> dict[str, int]:
    """unknown, reviews, over, disputes, endpoints, approvals (to decide), reactions, alarms, jobs (and reactions)."""
    return {**_found(live), "approvals": to_decide(live)}


def to_decide(live: bool) -> int:
    """Requests for approval that whoever is logged in may decide about: not their own, nor those above their limits."""
    if not staff().may(DECIDE):
        return 0
    whose = (live, staff().id, scope())
    kept = _decidable.get(whose)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    found = len(decidable(connection(), staff(), live=live))
    with _lock:
        if len(_decidable) > 500:
            _decidable.clear()
        _decidable[whose] = (time.monotonic() + KEPT_SECONDS, found)
    return found


def _found(live: bool) -> dict[str, int]:
    whose = (live, scope())
    kept = _kept.get(whose)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    row: dict[str, Any] = {**connection().execute(_OPEN, {"live": live, **_LOOKS}).mappings().one()}
    work = {name: int(value) for name, value in row.items()}
    work["jobs"] = failed_jobs() + work["reactions"]
    with _lock:
        if len(_kept) > 200:
            _kept.clear()
        _kept[whose] = (time.monotonic() + KEPT_SECONDS, work)
    return work


def failed_jobs() -> int:
    """Without Redis nobody knows, and nothing runs either; the screen of jobs says so."""
    try:
        return sum(FailedJobRegistry(queue=queue.queue(name)).count for name in (queue.DELIVERIES, queue.DEFAULT))
    except redis.RedisError:
        return 0


def forget() -> None:
    with _lock:
        _kept.clear()
        _decidable.clear()
