"""The embedded Valkey: a socket, an append-only file, and nothing is ever evicted."""

from dataclasses import dataclass
from pathlib import Path

import redis

from tools.stack.accounts import Account
from tools.stack.child import Child


@dataclass(frozen=True)
class Valkey:
    """One server with its files in `<home>/valkey`, reached through `<sockets>/redis.sock`."""

    home: Path
    sockets: Path
    binary: Path
    owner: Account | None

    @property
    def socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def child(self) -> Child:
        options = {
            "--port": "0",
            "--unixsocket": str(self.socket),
            "--unixsocketperm": "700",
            "--dir": str(self.home / "valkey"),
            "--appendonly": "yes",
            "--appendfsync": "everysec",
            "--save": "",
            "--maxmemory-policy": "noeviction",
        }
        return Child(
            name="valkey",
            argv=[self.binary, *(word for pair in options.items() for word in pair)],
            log=self.home / "log" / "valkey.log",
            ready=self.answers,
            owner=self.owner,
        )

    def answers(self) -> bool:
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=3)
        try:
            return bool(client.ping())
        except redis.RedisError:  # Not there yet, or still reading its append-only file.
            return False
        finally:
            client.close()
