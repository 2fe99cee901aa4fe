"""What the stack consists of besides its stores: the table, the steps, the environment.

Children are listed in the order in which they start; they stop the other way round, group by
group. Acquirers come before the web server, which may call them; the clock comes last.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.stack import probes
from tools.stack.child import Child

ACQUIRERS = "ABCDE"
# The ports of one stack, counted from PORT.
SANDBOX, FIRST_ACQUIRER, SMTP = 1, 2, 7
PORTS = 8

# Steering of other programs, and what belongs to the account that called us.
NOT_INHERITED = (
    *("MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "SUDO_", "XDG_"),
    *("DATABASE_URL_FILE", "REDIS_URL_FILE", "SMTP_URL_FILE", "DATABASE_OWNER_URL_FILE"),
)


@dataclass(frozen=True)
class Addresses:
    """Where everything is: first port, home directory, the three URLs, the key file."""

    port: int
    home: Path
    code: Path
    owner_url: str
    app_url: str
    redis_url: str
    keys: Path

    @property
    def public_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.port + SANDBOX}"

    @property
    def demo_file(self) -> Path:
        return self.home / "demo-made.json"


def environment(at: Addresses) -> dict[str, str]:
    """What every child finds in its environment; the owner's login is not part of it."""
    # PG* may hold the certificates of an operator's server; the embedded one wants none of it.
    unwanted = NOT_INHERITED if "DATABASE_URL" in os.environ else (*NOT_INHERITED, "PG")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    kept.pop("DATABASE_OWNER_URL", None)
    return {
        **kept,
        "DATABASE_URL": at.app_url,
        "REDIS_URL": at.redis_url,
        "ZAHLWERK_KEYS_FILE": str(at.keys),
        "ZAHLWERK_HOME": str(at.home),
        "ZAHLWERK_ENV": "demo",
        "ZAHLWERK_DEMO_FILE": str(at.demo_file),
        "PUBLIC_URL": at.public_url,
        "SANDBOX_URL": at.sandbox_url,
        "SMTP_URL": f"smtp://127.0.0.1:{at.port + SMTP}",
        "PORT": str(at.port),
        "HOME": str(at.home),
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
    }


def children(at: Addresses) -> list[Child]:
    """All long-running children, in starting order."""
    env = environment(at)

    def child(name: str, group: str, *words: str, **more) -> Child:
        log = at.home / "log" / f"{name}.log"
        argv = [sys.executable, "-m", *words]
        return Child(name=name, group=group, argv=argv, log=log, env=env, cwd=at.code, **more)

    sandbox, smtp = str(at.port + SANDBOX), str(at.port + SMTP)
    return [
        *(_acquirer(at, child, letter) for letter in ACQUIRERS),
        child(
            "sandbox", "sandbox", "sandbox", "--port", sandbox, "--smtp-port", smtp,
            ready=probes.listens(at.port + SANDBOX),
        ),
        child(
            "web", "web", *_granian(at.port),
            # Granian's workers lose a SIGTERM that comes during their first two seconds. A third
            # one makes them drop what they are answering, so it is repeated exactly once.
            stop_seconds=25, stop_again_seconds=3, ready=probes.http_ok(at.port, "/readyz"),
        ),
        child("worker-1", "workers", "jobs.worker", "default", stop_seconds=20),
        child("worker-2", "workers", "jobs.worker", "deliveries", stop_seconds=20),
        child("clock", "clock", "jobs.clock"),
    ]  # fmt: skip


def _acquirer(at: Addresses, child, letter: str) -> Child:
    port = at.port + FIRST_ACQUIRER + ACQUIRERS.index(letter)
    journal = at.home / "journals" / f"{letter}.jsonl"
    words = ["sandbox.acquirers", letter, "--port", str(port), "--journal", str(journal)]
    return child(f"acquirer-{letter.lower()}", "acquirers", *words, ready=probes.listens(port))


def _granian(port: int) -> list[str]:
    # 64 threads: a request that waits for a slow acquirer holds one. Respawn: without it the
    # death of one worker ends the whole server.
    options = {
        "--interface": "wsgi",
        "--host": "127.0.0.1",
        "--port": str(port),
        "--workers": "2",
        "--blocking-threads": "64",
        "--workers-kill-timeout": "20",
    }
    words = [word for pair in options.items() for word in pair]
    return ["granian", *words, "--respawn-failed-workers", "--no-ws", "wsgi:app"]


def migration(at: Addresses) -> Child:
    """The only step that knows the owner's login."""
    return Child(
        name="migrate",
        argv=[sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        log=at.home / "log" / "migrate.log",
        env={**environment(at), "DATABASE_OWNER_URL": at.owner_url},
        cwd=at.code,
        # A migration that is told to stop rolls back; it must not be cut off in the middle.
        stop_seconds=30,
    )


def demonstration(at: Addresses) -> Child:
    """Demo data through the running product; speaks for itself on our own output."""
    argv = [sys.executable, "-m", "sandbox.demo"]
    return Child(name="demo data", argv=argv, log=None, env=environment(at), cwd=at.code)
