"""A browser's own name for itself -> what people call it: `Firefox, Windows`. Shown, never relied on."""

import re

# The first that matches; many browsers also claim to be Safari and Chrome.
_BROWSERS = (
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac", "Macintosh|Mac OS X"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux"),
)


def named(user_agent: str) -> str:
    """Empty when neither browser nor system is known."""
    return ", ".join(found for found in (_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)) if found)


def _first(known: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for name, pattern in known if re.search(pattern, text)), None)
