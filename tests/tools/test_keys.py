"""The key file: made once, private, never replaced."""

import base64
import json
import stat
from pathlib import Path

import pytest

from tools.stack.errors import StackError
from tools.stack.keys import app_database_password, ensure_keys


def test_keys_are_made_once_and_are_private(tmp_path: Path) -> None:
    path = ensure_keys(tmp_path)
    keys = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for key in (keys["vault"]["1"], keys["seal"], keys["session"], keys["blind"], keys["page"]):
        assert len(base64.b64decode(key)) == 32
    ensure_keys(tmp_path)
    assert json.loads(path.read_text()) == keys


def test_the_database_password_joins_the_keys_and_stays(tmp_path: Path) -> None:
    keys = json.loads(ensure_keys(tmp_path).read_text())
    password = app_database_password(tmp_path)
    assert app_database_password(tmp_path) == password
    assert json.loads((tmp_path / "keys.json").read_text()) == {**keys, "app_database_password": password}


def test_a_broken_key_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"vault": {"1":')
    with pytest.raises(StackError, match="put its backup back"):
        ensure_keys(tmp_path)
    assert (tmp_path / "keys.json").read_text() == '{"vault": {"1":'
