"""What a warm start need not do again: tables that are up to date, demo data that are there.

Both are looked up directly. A step of its own imports the whole product to find out the same, two seconds each.
"""

import json
import re
from pathlib import Path

import psycopg

_REVISION = re.compile(r'^revision = "(\w+)"', re.MULTILINE)
_BEFORE = re.compile(r'^down_revision = "(\w+)"', re.MULTILINE)


def newest_revision(versions: Path) -> str | None:
    """The migration that no other builds on. None when the files do not say so clearly: then Alembic decides."""
    texts = [path.read_text() for path in versions.glob("*.py")]
    revisions = {found for text in texts for found in _REVISION.findall(text)}
    heads = revisions - {found for text in texts for found in _BEFORE.findall(text)}
    return heads.pop() if len(heads) == 1 and len(revisions) == len(texts) else None


def tables_are_current(owner_url: str, versions: Path) -> bool:
    newest = newest_revision(versions)
    return newest is not None and _ask(owner_url, "SELECT version_num FROM alembic_version") == [(newest,)]


def demo_is_there(owner_url: str, made: Path, public_url: str, code: Path) -> bool:
    """Made for this address, by this or later code, and in this database."""
    try:
        facts = json.loads(made.read_text())
        written = made.stat().st_mtime
    except (OSError, ValueError):
        return False
    changed = max(path.stat().st_mtime for path in (code / "sandbox").rglob("*.py"))
    fits = str(facts.get("api", {}).get("url", "")).startswith(f"{public_url}/") and written > changed
    return fits and _ask(owner_url, "SELECT 1 FROM merchants LIMIT 1") == [(1,)]


def _ask(owner_url: str, statement: str) -> list[tuple[object, ...]]:
    """Empty also when there is no such table yet, or no answer: the step itself then says what is wrong."""
    try:
        with psycopg.connect(owner_url.replace("+psycopg", "", 1), connect_timeout=5) as connection:
            return connection.execute(statement.encode()).fetchall()
    except psycopg.Error:
        return []
