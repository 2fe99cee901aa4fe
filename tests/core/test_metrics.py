"""Counters for Prometheus add up over processes, cost little, and never stand in anybody's way."""

import select
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from app.core import metrics, queue
from tests.conftest import run_python


@pytest.fixture(autouse=True)
def _empty(app) -> None:
    metrics.flush()
    queue.connection().delete(metrics.KEY)


def shown() -> list[str]:
    return metrics.exposition({}, {}).splitlines()


def test_counters_add_up_over_threads_and_processes():
    def count() -> None:
        for _ in range(500):
            metrics.count("zahlwerk_jobs_total", job="expire", result="done")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other = "from app.core import metrics; metrics.count('zahlwerk_jobs_total', 3, job='expire', result='done')"
    assert run_python("-c", other).returncode == 0, "what it counted comes to Redis when it ends"
    assert 'zahlwerk_jobs_total{job="expire",result="done"} 2003' in shown()


def test_a_histogram_holds_in_each_bucket_those_below_it():
    for seconds in (0.004, 0.02, 0.3, 60):
        metrics.observe("zahlwerk_call_seconds", seconds, host="acquirer.example")
    lines = [line for line in shown() if "call_seconds" in line and "#" not in line]
    assert lines == [
        *(
            f'zahlwerk_call_seconds_bucket{{host="acquirer.example",le="{bucket}"}} {count}'
            for bucket, count in zip((*metrics.BUCKETS, "+Inf"), (1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4), strict=True)
        ),
        'zahlwerk_call_seconds_count{host="acquirer.example"} 4',
        'zahlwerk_call_seconds_sum{host="acquirer.example"} 60.324',
    ]


def test_every_counter_says_what_it_is_and_labels_are_quoted():
    metrics.count("zahlwerk_jobs_total", job='a"b\\c\nd', result="done")
    lines = shown()
    for name, (kind, help_) in metrics.HELP.items():
        assert f"# TYPE {name} {kind}" in lines and f"# HELP {name} {help_}" in lines
    assert 'zahlwerk_jobs_total{job="a\\"b\\\\c\\nd",result="done"} 1' in lines


def test_labels_that_grow_without_end_are_counted_as_one(monkeypatch):
    monkeypatch.setattr(metrics, "MOST_SERIES", 0)
    monkeypatch.setattr(metrics, "_known", set())
    for number in range(50):
        metrics.observe("zahlwerk_call_seconds", 0.1, host=f"host-{number}")
    assert 'zahlwerk_call_seconds_count{more="yes"} 50' in shown()
    assert not [line for line in shown() if "host-" in line]


def test_without_redis_nothing_fails_and_nothing_is_lost(monkeypatch):
    away = redis.Redis(port=1, socket_connect_timeout=0.2, retry=None)
    with monkeypatch.context() as patch:
        patch.setattr(queue, "connection", lambda: away)
        metrics.count("zahlwerk_jobs_total", job="relay", result="done")
        metrics.flush()
    assert 'zahlwerk_jobs_total{job="relay",result="done"} 1' in shown()


def test_what_a_broken_connection_has_brought_half_is_not_counted_twice(monkeypatch):
    """The line to Redis is cut after some thousand bytes of what is sent; everything is sent again later."""
    with cut_after(30_000, queue.connection().connection_pool.connection_kwargs["path"]) as port:
        cut = redis.Redis(port=port, retry=None)
        for number in range(500):
            metrics.count("zahlwerk_jobs_total", job=f"job-{number}", result="done")
        with monkeypatch.context() as patch:
            patch.setattr(queue, "connection", lambda: cut)
            metrics.flush()
    found = [line for line in shown() if 'job="job-' in line]
    assert len(found) == 500 and {line.rpartition(" ")[2] for line in found} == {"1"}


@contextmanager
def cut_after(many: int, path: str) -> Iterator[int]:
    """Passes that many bytes on to Redis at that socket, then ends both connections. Yields its own port."""

    class Line(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            left = many
            with socket.socket(socket.AF_UNIX) as redis_end:
                redis_end.connect(path)
                while left > 0 and (ready := select.select([self.request, redis_end], [], [], 5)[0]):
                    for end in ready:
                        content = end.recv(4_096)
                        if not content:
                            return
                        if end is redis_end:
                            self.request.sendall(content)
                        else:
                            redis_end.sendall(content[:left])
                            left -= len(content)
                redis_end.shutdown(socket.SHUT_WR)
                while redis_end.recv(65_536):
                    pass  # until Redis has done what it got

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_counting_does_not_wait_for_the_flush():
    """On the way of a payment: no call, no Redis, a handful of Python instructions."""
    calls = []
    sys.setprofile(lambda frame, what, _: calls.append(frame.f_code.co_name) if what == "call" else None)
    try:
        metrics.count("zahlwerk_jobs_total", job="expire", result="done")
    finally:
        sys.setprofile(None)
    assert calls == ["count", "add"]
