"""`python -m sandbox --port 8701 --smtp-port 8702`: the sandbox's web app and its mail catcher, on loopback."""

import argparse
import ctypes
import os
import signal
import sys

from aiosmtpd.controller import Controller
from flask import Flask
from granian import Granian
from granian.constants import Interfaces

from sandbox.mail import Catcher, Mailbox
from sandbox.web import create_app, home


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8701)
    parser.add_argument("--smtp-port", type=int, default=8702)
    chosen = parser.parse_args()
    os.environ["SANDBOX_SMTP_PORT"] = str(chosen.smtp_port)
    os.environ.setdefault("SANDBOX_URL", f"http://127.0.0.1:{chosen.port}")
    os.environ.setdefault("ZAHLWERK_HOME", str(home()))
    print(f"sandbox: {os.environ['SANDBOX_URL']}, smtp://127.0.0.1:{chosen.smtp_port}", flush=True)
    # One worker, since the stand-ins keep their state in it; its threads also bear the requests that
    # are told to hang.
    Granian(
        "sandbox.__main__:serving",
        address="127.0.0.1",
        port=chosen.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=16,
        websockets=False,
        factory=True,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=5,
    ).serve()


def serving() -> Flask:
    """The app of the worker process; the mail catcher listens in the same process."""
    _die_with_parent()
    at = home()
    port = int(os.environ["SANDBOX_SMTP_PORT"])
    catcher = Catcher(Mailbox(at / "mail"))
    Controller(catcher, "127.0.0.1", port, ready_timeout=30, data_size_limit=30_000_000).start()
    return create_app(at / "journals")


def _die_with_parent() -> None:
    """A killed server must not leave its worker on the port. Linux only; elsewhere one ends it by hand."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


if __name__ == "__main__":
    main()
