"""`/metrics` for Prometheus: counters of all processes, and how much waits just now.

It is there only if METRICS_TOKEN is set, for who sends it as a Bearer token. Ask one process: each answers for all.
"""

import hmac
import time
from typing import Any

import redis
from flask import Blueprint, Response, abort, request
from rq.registry import FailedJobRegistry
from sqlalchemy import text

from app.config import settings
from app.core import metrics, queue
from app.core.clock import now
from app.core.db import ALL, reading
from app.figures.depths import waiting
from app.payments.worklist import WAITS_FOR_STAFF_SQL

door = Blueprint("metrics", __name__)

KEPT_SECONDS = 5.0

HELP = {
    "zahlwerk_redis_up": "1: Redis answers. Without it the counters are missing here.",
    "zahlwerk_waiting": "How much waits, by queue: jobs, events without a position, webhooks and mails that are due.",
    "zahlwerk_oldest_waiting_seconds": "How long the oldest of it has been due.",
    "zahlwerk_unknown_operations": "Operations whose outcome nobody knows, or that have been pending for too long.",
    "zahlwerk_oldest_unknown_seconds": "How long ago the oldest of them was sent.",
    "zahlwerk_failing_endpoints": "Webhook endpoints that fail.",
    "zahlwerk_failed_reactions": "Reactions that raised and wait to be repeated.",
    "zahlwerk_failed_jobs": "Runs of jobs that RQ keeps as failed.",
    "zahlwerk_job_finished_seconds": "How long ago each periodic job was last finished.",
}

# Every part reads a small table or the beginning of an index.
_STATE = text(
    f"""
    SELECT (SELECT min(due_at) FROM deliveries WHERE state = 'pending') AS webhooks,
           (SELECT min(due_at) FROM mails WHERE state = 'pending') AS mails,
           (SELECT min(happened_at) FROM event_queue q JOIN events e ON e.id = q.event_id) AS events,
           (SELECT count(*) FROM operations WHERE {WAITS_FOR_STAFF_SQL}) AS unknown,
           (SELECT min(coalesce(sent_at, created_at)) FROM operations WHERE {WAITS_FOR_STAFF_SQL}) AS unknown_since,
           (SELECT count(*) FROM webhook_endpoints WHERE failing_since IS NOT NULL AND deleted_at IS NULL) AS failing,
           (SELECT count(*) FROM failed_reactions) AS reactions
    """  # noqa: S608 - words of our own only
)
# From name to name along the primary key, not through a week of runs.
_FINISHED = text(
    """
    WITH RECURSIVE names AS (
        (SELECT name FROM job_runs ORDER BY name LIMIT 1)
        UNION ALL
        SELECT (SELECT name FROM job_runs WHERE name > names.name ORDER BY name LIMIT 1) FROM names
        WHERE name IS NOT NULL
    )
    SELECT names.name, last.finished_at FROM names CROSS JOIN LATERAL (
        SELECT finished_at FROM job_runs WHERE name = names.name AND finished_at IS NOT NULL ORDER BY slot DESC LIMIT 1
    ) last
    """
)

_kept: tuple[float, dict[str, Any]] | None = None


@door.get("/metrics")
def read() -> Response:
    token = settings().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        abort(404)
    try:
        body = metrics.exposition({**_measured(), "zahlwerk_redis_up": [((), 1)]}, HELP)
    except redis.RedisError:
        body = "\n".join(["# TYPE zahlwerk_redis_up gauge", "zahlwerk_redis_up 0", ""])
    answer = Response(body, content_type="text/plain; version=0.0.4; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _measured() -> dict[str, Any]:
    """How much waits; kept for a few seconds, so that asking often costs the database nothing."""
    global _kept
    if _kept is None or _kept[0] < time.monotonic():
        _kept = (time.monotonic() + KEPT_SECONDS, _measure())
    return _kept[1]


def _measure() -> dict[str, Any]:
    at = now()
    with reading(ALL) as connection:
        row = connection.execute(_STATE).mappings().one()
        finished = connection.execute(_FINISHED).all()
    failed = {name: FailedJobRegistry(queue=queue.queue(name)).count for name in (queue.DELIVERIES, queue.DEFAULT)}

    def age(name: str) -> float:
        return max(0.0, (at - row[name]).total_seconds()) if row[name] else 0.0

    return {
        "zahlwerk_waiting": [((("queue", name),), many) for name, many in sorted(waiting().items())],
        "zahlwerk_oldest_waiting_seconds": [
            ((("queue", name),), age(name)) for name in ("events", "mails", "webhooks")
        ],
        "zahlwerk_unknown_operations": [((), row["unknown"])],
        "zahlwerk_oldest_unknown_seconds": [((), age("unknown_since"))],
        "zahlwerk_failing_endpoints": [((), row["failing"])],
        "zahlwerk_failed_reactions": [((), row["reactions"])],
        "zahlwerk_failed_jobs": [((("queue", name),), many) for name, many in failed.items()],
        "zahlwerk_job_finished_seconds": [((("job", name),), (at - ended).total_seconds()) for name, ended in finished],
    }
