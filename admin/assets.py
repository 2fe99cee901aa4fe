"""Files of the back office that browsers may keep for ever: their address changes with their content."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "static"
ADDRESS = "/admin/assets"


@cache
def asset(name: str) -> str:
    """Address of a file in static/, with its version."""
    version = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:10]
    return f"{ADDRESS}/{name}?v={version}"
