"""Settings come from the environment or from files, and what is wrong with them is said before anything starts."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from app import config
from app.config import SettingMissing


@pytest.fixture
def read_anew():
    """Settings of this environment; those of the other tests afterwards."""
    config.settings.cache_clear()
    yield config.settings
    config.settings.cache_clear()


def test_a_secret_may_stand_in_a_file(read_anew, monkeypatch, tmp_path):
    file = tmp_path / "database-url"
    file.write_text("postgresql+psycopg://app:pass@db/zahlwerk\n")
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("DATABASE_URL_FILE", str(file))
    assert read_anew().database_url == "postgresql+psycopg://app:pass@db/zahlwerk"


def test_a_setting_given_twice_is_refused(read_anew, monkeypatch, tmp_path):
    monkeypatch.setenv("REDIS_URL_FILE", str(tmp_path / "redis"))
    with pytest.raises(SettingMissing, match="REDIS_URL and REDIS_URL_FILE"):
        read_anew()


def test_a_file_that_is_not_there_is_named(read_anew, monkeypatch, tmp_path):
    monkeypatch.setenv("SMTP_URL_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingMissing, match=r"SMTP_URL_FILE: .*none cannot be read"):
        read_anew()


def test_what_is_needed_is_named(read_anew, monkeypatch):
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(SettingMissing, match="DATABASE_URL is not set"):
        read_anew()


def test_settings_do_not_show_their_secrets(read_anew):
    shown = repr(
        replace(
            read_anew(),
            database_url="postgresql://a:hunter2@b/c",
            redis_url="redis://:hunter2@b",
            smtp_url="smtp://a:hunter2@b",
            metrics_token="hunter2",
        )
    )
    assert "hunter2" not in shown and "vault" not in shown
    assert "public_url" in shown


@pytest.mark.parametrize(
    "change",
    [
        {"vault": {}},
        {"vault": {"256": "full"}},
        {"vault": {"0": "full"}},
        {"vault": {"1": "half"}},
        {"vault": ["full"]},
        {"blind": "half"},
        {"page": None},
    ],
)
def test_a_key_file_that_lacks_something_is_refused_without_quoting_it(tmp_path, change):
    keys = {name: base64.b64encode(bytes(range(size))).decode() for name, size in (("full", 32), ("half", 16))}

    def put(value):
        if isinstance(value, dict):
            return {number: put(name) for number, name in value.items()}
        return [put(one) for one in value] if isinstance(value, list) else keys.get(value)

    good = {"vault": {"1": "full"}, "blind": "full", "seal": "full", "session": "full", "page": "full"}
    file = _file(tmp_path, put(good))
    assert config.read_keys(file).vault[1] == bytes(range(32))
    with pytest.raises(SettingMissing) as refused:
        config.read_keys(_file(tmp_path, put({**good, **change})))
    assert keys["half"] not in str(refused.value) and keys["full"] not in str(refused.value)


def _file(folder: Path, content: object) -> Path:
    file = folder / "keys.json"
    file.write_text(json.dumps(content))
    return file
