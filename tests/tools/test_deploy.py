"""Root's copy of the code for the service account."""

import stat
from pathlib import Path

from tools.stack.deploy import sync


def write(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def names(top: Path) -> set[str]:
    return {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}


def test_the_copy_holds_the_code_and_nothing_else(tmp_path: Path) -> None:
    clone, code = tmp_path / "clone", tmp_path / "code"
    for name in ("wsgi.py", "app/core/db.py", "app/texts/de/x.mo", "app/tests/kept.py"):
        write(clone / name)
    for name in (
        ".env",
        ".git/config",
        ".venv/bin/python",
        "var/keys.json",
        "tests/test_x.py",
        "app/__pycache__/x.pyc",
    ):
        write(clone / name)
    assert sync(clone, code) == 4
    assert names(code) == {"wsgi.py", "app/core/db.py", "app/texts/de/x.mo", "app/tests/kept.py"}
    assert stat.S_IMODE((code / "wsgi.py").stat().st_mode) == 0o644
    assert sync(clone, code) == 0


def test_changes_and_removals_follow(tmp_path: Path) -> None:
    clone, code = tmp_path / "clone", tmp_path / "code"
    write(clone / "wsgi.py", "old")
    write(clone / "gone.py")
    sync(clone, code)
    write(clone / "wsgi.py", "new text")
    (clone / "gone.py").unlink()
    assert sync(clone, code) == 2
    assert names(code) == {"wsgi.py"}
    assert (code / "wsgi.py").read_text() == "new text"
