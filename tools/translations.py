"""Texts: `python -m tools.translations compile | check`.

English is in the code (gettext keys). German stands in `translations/de/*.json`, one file per part of the
house ({"English": "Deutsch"}; plurals as {"English": ["Einzahl", "Mehrzahl"]}). `compile` writes the .mo
that Flask-Babel reads (not committed); `check` fails on an English text without German and on a German
text that no code uses.
"""

import json
import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("app", "admin", "hosted_pages", "jobs")
KEYWORDS = {
    "N_": None,
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "_l": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
METHODS = [
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
    ("**/mails/**", "jinja2"),
]


def extracted() -> dict[str, str]:
    """Every English text in the code -> where it stands first."""
    found: dict[str, str] = {}
    for folder in FOLDERS:
        if not (ROOT / folder).is_dir():
            continue
        for file, line, message, _comments, _context in extract_from_dir(
            ROOT / folder, method_map=METHODS, keywords=KEYWORDS, options_map={"**": {"silent": "false"}}
        ):
            key = message[0] if isinstance(message, tuple) else message
            if key:
                found.setdefault(key, f"{folder}/{file}:{line}")
    return found


def german() -> dict[str, str | list[str]]:
    """All German texts. Raises ValueError when two files disagree about one."""
    texts: dict[str, str | list[str]] = {}
    for path in sorted((ROOT / "translations" / "de").glob("*.json")):
        for key, value in json.loads(path.read_text()).items():
            if texts.get(key, value) != value:
                raise ValueError(f"{path.name}: {key!r} is {value!r} here and {texts[key]!r} elsewhere")
            texts[key] = value
    return texts


def compile_() -> Path:
    catalogue = Catalog(locale="de")
    for key, value in german().items():
        if isinstance(value, list):
            catalogue.add((key, key), tuple(value))
        else:
            catalogue.add(key, value)
    target = ROOT / "translations" / "de" / "LC_MESSAGES" / "messages.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    content = BytesIO()
    write_mo(content, catalogue)
    if not target.exists() or target.read_bytes() != content.getvalue():
        target.write_bytes(content.getvalue())
    return target


def check() -> list[str]:
    """What is wrong with the German texts, as sentences; empty when all is well."""
    code, texts = extracted(), german()
    problems = [f"no German for {key!r} ({place})" for key, place in sorted(code.items()) if key not in texts]
    problems += [f"no code uses {key!r}" for key in sorted(texts) if key not in code]
    return problems


def main(command: str) -> int:
    if command == "compile":
        print(f"wrote {compile_().relative_to(ROOT)}")
        return 0
    problems = check()
    print("\n".join(problems) or "every text has its German")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check"))
