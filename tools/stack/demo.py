"""The logins and addresses of the demo data: shown at the terminal, published in demo.json.

{"admin": {"url": ..., "users": [{"email": ..., "password": ..., "role": ...}]},
 "api": {"url": ..., "keys": [...]}, "shop": ..., "docs": ..., "mail": ..., "webhooks": ...}
"""

import json
from pathlib import Path
from typing import Any

from tools.stack.errors import StackError
from tools.stack.session import write_whole

TITLES = {
    "admin": "back office",
    "shop": "demo shop",
    "api": "API",
    "docs": "API docs",
    "mail": "mail catcher",
    "webhooks": "webhook catcher",
}


def read(made: Path) -> dict[str, Any]:
    """What the demo data step wrote. Raises StackError if it did not."""
    try:
        return json.loads(made.read_text())
    except (OSError, ValueError) as problem:
        raise StackError(f"the demo data step left no readable {made}: {problem}") from None


def publish(made: Path, public: Path) -> None:
    """Put a copy where people look for it; readable by everybody, it holds demo logins only."""
    write_whole(public, made.read_text(), 0o644)


def as_text(facts: dict[str, Any]) -> str:
    """One line per address and per login."""
    lines = []
    for name, title in TITLES.items():
        value = facts.get(name, {})
        entry = value if isinstance(value, dict) else {"url": value}
        lines.append(f"  {title:16} {entry.get('url', '')}")
        for user in entry.get("users", []):
            lines.append(f"  {'':16} {user['email']}  {user['password']}  ({user['role']})")
        lines += [f"  {'':16} {_key(key)}" for key in entry.get("keys", [])]
    return "\n".join(lines)


def _key(key: Any) -> str:
    return "  ".join(str(part) for part in key.values()) if isinstance(key, dict) else str(key)
