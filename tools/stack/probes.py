"""Is it fit for use? One question each, answered within two seconds, never raising."""

import http.client
import socket
from collections.abc import Callable

LIMIT_SECONDS = 2.0


def http_ok(port: int, path: str) -> Callable[[], bool]:
    """True when GET answers 200."""

    def ask() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask


def listens(port: int) -> Callable[[], bool]:
    """True when somebody accepts a connection."""

    def ask() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=LIMIT_SECONDS).close()
        except OSError:
            return False
        return True

    return ask
