"""Passwords that everybody tries first, found without asking anybody: words of common_passwords.txt and of the person,
with digits, years, keyboard rows and repetitions around them.

The list holds stems (`passwort`, `sommer`), not the hundreds of spellings of each: letters written as digits and signs
are read as letters, then what is predictable is taken away. Little left means: easily guessed.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from app.core.errors import Refusal
from app.core.texts import N_

_LEFT = 4  # characters that must remain
_WORDS = 2  # more than so many different words in a row are a passphrase
_LEET = str.maketrans("@4310$57!8", "aaeiosstib")
_ROWS = (
    *("1234567890", "qwertzuiopü", "qwertyuiop", "azertyuiop", "asdfghjklöä", "qsdfghjklm", "yxcvbnm", "zxcvbnm"),
    *("abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb", "1q2w3e4r5t6z7u8i9o0p", "1q2w3e4r5t6y7u8i9o0p"),
    *("147258369", "159357", '!"§$%&/()=', "!@#$%^&*()"),
)
_YEAR = re.compile(r"(19|20)\d\d")
_SAME = re.compile(r"(.)\1{2,}")


class CommonPassword(Refusal):
    code = "common_password"
    message = N_("This password is easily guessed: it is built from words and sequences that everybody tries first.")
    advice = N_("Several unrelated words in a row are easy to remember and hard to guess.")


def refuse_common(password: str, about: Iterable[str] = ()) -> None:
    """`about`: the person's address and names, which are no secret. Raises CommonPassword."""
    if is_common(password, about):
        raise CommonPassword(param="password")


def is_common(password: str, about: Iterable[str] = ()) -> bool:
    plain = password.lower().strip()
    if len(set(plain)) < 5:
        return True
    own = {part for text in about for part in re.findall(r"[^\W\d_]{3,}", text.lower())}
    words = (*sorted(own, key=len, reverse=True), *_stems())
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)  # the year at the end is no leet
    spellings = {plain, re.sub(r"[\W_]", "", plain), plain.translate(_LEET), core.translate(_LEET)}
    return any(_little_left(spelling, words) for spelling in spellings)


def _little_left(text: str, words: tuple[str, ...]) -> bool:
    used = 0
    for word in words:
        if word in text:
            text, used = text.replace(word, "\0"), used + 1
    text = _SAME.sub("", _YEAR.sub("", text.replace("\0", " ")))
    for run in _sequences():
        text = text.replace(run, "")
    return used <= _WORDS and len(re.sub(r"\s", "", text)) < _LEFT


@cache
def _stems() -> tuple[str, ...]:
    """The longest first, so that `passwort` is not seen as `pass`."""
    lines = Path(__file__).with_name("common_passwords.txt").read_text().split()
    return tuple(sorted(lines, key=len, reverse=True))


@cache
def _sequences() -> tuple[str, ...]:
    """Every run of three to ten along a row, both ways, the longest first."""
    rows = [way for row in _ROWS for way in (row, row[::-1])]
    runs = {row[start : start + length] for row in rows for length in range(3, 11) for start in range(len(row))}
    return tuple(sorted((run for run in runs if len(run) >= 3), key=len, reverse=True))
