"""Every text of the sandbox's pages has its German."""

import ast
import re
from pathlib import Path

import pytest

import sandbox
from sandbox.paypal.pages import _EFFECTS
from sandbox.shop.pages import _LEGAL
from sandbox.texts import GERMAN
from sandbox.web import _packages

FOLDER = Path(sandbox.__file__).parent
KEY = re.compile(r"""(?<!\w)_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


def keys() -> set[str]:
    found = {ast.literal_eval(match) for page in FOLDER.rglob("*.html") for match in KEY.findall(page.read_text())}
    tiles = [getattr(module, "TILE", ()) for module in _packages().values()]
    return (
        found | {text for tile in tiles for text in tile[:2]} | set(_EFFECTS.values()) | set(sum(_LEGAL.values(), ()))
    )


def test_no_german_text_is_missing() -> None:
    assert len(keys()) > 50
    assert sorted(keys() - set(GERMAN)) == []


@pytest.mark.parametrize("key", [key for key in GERMAN if "%(" in key])
def test_a_german_text_fills_in_the_same_values(key: str) -> None:
    assert re.findall(r"%\(\w+\)s", key) == re.findall(r"%\(\w+\)s", GERMAN[key])
