"""A supervised run with small children, as a program of its own that tests may kill.

    python -m tests.tools.tiny_stack HOME CHILDREN.json

CHILDREN.json: [{"name": ..., "group": ..., "argv": [...], "stop_seconds": 5}, ...]; an entry of
"postgres" or "valkey" stands for the real server.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tools.stack import lock
from tools.stack.accounts import Account, account
from tools.stack.child import Child
from tools.stack.errors import StackError
from tools.stack.places import prepare_home
from tools.stack.session import supervised
from tools.stack.supervisor import Stopped


def main(home: Path, entries: list[dict[str, Any]]) -> int:
    owner = account()
    prepare_home(home, owner)
    try:
        held = lock.take(home, owner, "http://localhost:4711")
        with supervised(home, held, "http://localhost:4711") as (supervisor, status):
            supervisor.start([made(home, owner, entry) for entry in entries])
            supervisor.wait_ready(60)
            status.note(ready=True)
            try:
                supervisor.keep()
            except Stopped:
                pass
    except StackError as problem:
        print(f"zahlwerk: {problem}", file=sys.stderr)
        return 1
    return 0


def made(home: Path, owner: Account | None, entry: dict[str, Any]) -> Child:
    if entry["name"] in ("postgres", "valkey"):
        from tools.stack import stores  # Slow to import, and most tests do without.

        make = {"postgres": stores.embedded_postgres, "valkey": stores.embedded_valkey}
        return make[entry["name"]](home, owner).child()
    return Child(log=home / "log" / f"{entry['name']}.log", **entry)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())))
