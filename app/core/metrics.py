"""Counters for Prometheus: counted in this process, added up in Redis every other second, over all processes and hosts.

Counting costs about a microsecond and never fails. Redis holds one hash, field = the line as Prometheus reads it, so
whoever is asked answers for all. What a process had counted when it was killed (two seconds at most) is lost, and a
Redis that was emptied looks to Prometheus like a restart; money is counted in the books, not here.
"""

import atexit
import os
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping

import redis
import structlog

from app.core import queue

log = structlog.get_logger()

KEY = "zahlwerk:metrics:1"
FLUSH_SECONDS = 2.0
# A label that somebody outside chooses would grow without end; then everything new is counted as one.
MOST_SERIES = 5_000
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FITS = [("le", str(bucket)) for bucket in (*BUCKETS, "+Inf")]

Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]

HELP = {
    "zahlwerk_requests_total": ("counter", "Requests answered, by route and status."),
    "zahlwerk_request_seconds": ("histogram", "How long requests took, by route."),
    "zahlwerk_events_total": ("counter", "Events told, by name, provider and mode: what became of payments."),
    "zahlwerk_calls_total": ("counter", "Calls to providers, by host and outcome; all webhooks are one host."),
    "zahlwerk_call_seconds": ("histogram", "How long those calls took."),
    "zahlwerk_jobs_total": ("counter", "Runs of jobs, by name and result."),
}

_counts: dict[Series, float] = defaultdict(float)
_known: set[Series] = set()
_lock = threading.Lock()
_flusher: int | None = None  # the process whose thread it is: one that was forked starts its own


def count(name: str, by: float = 1, **labels: str) -> None:
    """Adds to a counter. Labels are words of ours, never what somebody sent."""
    add(((name, tuple(labels.items())), by))


def observe(name: str, seconds: float, **labels: str) -> None:
    """Adds one duration to a histogram."""
    add(*observed(name, seconds, tuple(labels.items())))


def observed(name: str, seconds: float, labels: Labels) -> list[tuple[Series, float]]:
    """The same for who adds several things at once."""
    fits = _FITS[bisect_left(BUCKETS, seconds)]
    return [((f"{name}_bucket", (*labels, fits)), 1), ((f"{name}_sum", labels), seconds)]


def add(*counted: tuple[Series, float]) -> None:
    with _lock:
        for series, by in counted:
            if series not in _known:
                if len(_known) >= MOST_SERIES:
                    series = (series[0], (("more", "yes"), *(label for label in series[1] if label[0] == "le")))
                _known.add(series)
            _counts[series] += by
    if _flusher != os.getpid():
        _start()


def flush() -> None:
    """Brings what was counted to Redis; without Redis it is kept for the next time."""
    with _lock:
        counted = dict(_counts)
        _counts.clear()
    if not counted:
        return
    try:
        with queue.connection().pipeline(transaction=True) as pipe:  # all of it or nothing: it is counted again then
            for series, by in counted.items():
                pipe.hincrbyfloat(KEY, _line(*series), by)
            pipe.execute(
                raise_on_error=False
            )  # a field that is no number is lost, and the others are not counted twice
    except redis.RedisError as error:
        log.warning("metrics_kept", error=type(error).__name__)
        with _lock:
            for series, by in counted.items():
                _counts[series] += by


def _start() -> None:
    global _flusher
    with _lock:
        if _flusher == os.getpid():
            return
        _flusher = os.getpid()
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(FLUSH_SECONDS):
            flush()

    threading.Thread(target=run, name="metrics", daemon=True).start()
    atexit.register(flush)


def exposition(gauges: Mapping[str, Iterable[tuple[Labels, float]]], helps: Mapping[str, str]) -> str:
    """Everything as Prometheus reads it: the counters of all processes, and what was measured just now."""
    flush()
    lines: list[str] = []
    by_name = _collected()
    for name, (kind, help_) in HELP.items():
        lines += [f"# HELP {name} {help_}", f"# TYPE {name} {kind}"]
        lines += by_name.get(name, []) if kind == "counter" else _histogram(name, by_name)
    for name, values in gauges.items():
        lines += [f"# HELP {name} {helps[name]}", f"# TYPE {name} gauge"]
        lines += [f"{_line(name, labels)} {_number(value)}" for labels, value in values]
    return "\n".join(lines) + "\n"


def _collected() -> dict[str, list[str]]:
    """Name -> lines. Raises redis.RedisError."""
    found: dict[str, list[str]] = defaultdict(list)
    kept: dict[bytes, bytes] = queue.connection().hgetall(KEY)  # type: ignore[assignment]
    for field, value in sorted(kept.items()):
        line = field.decode()
        found[line.partition("{")[0]].append(f"{line} {_number(float(value))}")
    return found


def _histogram(name: str, by_name: Mapping[str, list[str]]) -> list[str]:
    """Buckets are counted apart and add up here: each holds those below it."""
    counted: dict[str, dict[str, float]] = defaultdict(dict)
    for line in by_name.get(f"{name}_bucket", ()):
        series, _, value = line.rpartition(" ")
        labels, _, fits = series.rpartition('le="')
        counted[labels][fits.rstrip('"}')] = float(value)
    lines = []
    for labels, buckets in counted.items():
        total = 0.0
        for bucket in (*(str(one) for one in BUCKETS), "+Inf"):
            total += buckets.get(bucket, 0)
            lines.append(f'{labels}le="{bucket}"}} {_number(total)}')
        rest = labels.removeprefix(f"{name}_bucket").rstrip(",{")
        lines.append(f"{name}_count{rest + '}' if rest else ''} {_number(total)}")
    return [*lines, *by_name.get(f"{name}_sum", [])]


def _line(name: str, labels: Labels) -> str:
    if not labels:
        return name
    return f"{name}{{{','.join(f'{key}={_quoted(value)}' for key, value in labels)}}}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
