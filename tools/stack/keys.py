"""The key file: made once, readable by its owner only, handed on by name and never by content.

    {"vault": {"1": KEY}, "seal": KEY, "session": KEY, "blind": KEY, "page": KEY}

Each KEY is 32 random bytes in base64. Losing the file loses every sealed value in the database.
"""

import base64
import json
import secrets
from pathlib import Path
from typing import Any

from tools.stack.errors import StackError
from tools.stack.session import write_whole

APP_PASSWORD = "app_database_password"  # noqa: S105 - the name of a field


def ensure_keys(home: Path) -> Path:
    """The path of `<home>/keys.json`, created if missing. Raises StackError if it is unreadable."""
    path = home / "keys.json"
    keys = _read(path)
    missing: dict[str, Any] = {name: _fresh() for name in ("seal", "session", "blind", "page") if name not in keys}
    if "vault" not in keys:
        missing["vault"] = {"1": _fresh()}
    if missing:
        write_whole(path, json.dumps({**keys, **missing}, indent=2), 0o600)
    return path


def app_database_password(home: Path) -> str:
    """The application's password on a database server of the operator's; made when first asked."""
    path = ensure_keys(home)
    keys = _read(path)
    if APP_PASSWORD not in keys:
        keys[APP_PASSWORD] = secrets.token_urlsafe(24)
        write_whole(path, json.dumps(keys, indent=2), 0o600)
    return keys[APP_PASSWORD]


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        # Never replaced by fresh keys: what the old ones sealed would be lost for good.
        raise StackError(f"{path} is not valid JSON; put its backup back.") from None


def _fresh() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
