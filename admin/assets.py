"""Files of the back office that browsers may keep for ever: their address changes with their content."""

import hashlib
import json
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "static"
ADDRESS = "/admin/assets"


@cache
def asset(name: str) -> str:
    """Address of a file in static/, with its version."""
    version = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:10]
    return f"{ADDRESS}/{name}?v={version}"


@cache
def integrity(name: str) -> str:
    """What a file of somebody else's must be, as its folder's inventory says: a browser runs nothing else for it."""
    folder, _, file = name.partition("/")
    return json.loads((FOLDER / folder / "inventory.json").read_text())["files"][file]
