"""Fixtures for the whole tree. Importing this file prepares the environment of the test process."""

import base64
import json
import os
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="zahlwerk-tests-"))


def _write_keys(path: Path) -> None:
    key = lambda: base64.b64encode(os.urandom(32)).decode()  # noqa: E731
    path.write_text(
        json.dumps({"vault": {"1": key()}, "blind": key(), "seal": key(), "session": key(), "page": key()})
    )


_write_keys(HOME / "keys.json")
os.environ["ZAHLWERK_KEYS_FILE"] = str(HOME / "keys.json")
os.environ["ZAHLWERK_ENV"] = "test"
os.environ.setdefault("DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1")
