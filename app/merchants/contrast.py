"""Colours that can be read: contrast after WCAG 2.1, and the nearest colour that passes.

A shop's accent is the ground of its buttons, so it must carry text; where the accent itself is the text
(links, focus rings) pages use `readable()`, which moves it just far enough from the ground.
Source: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio
"""

import re
from functools import lru_cache

from app.core.errors import Refusal
from app.core.texts import N_

WHITE, INK = "#ffffff", "#14181f"
ENOUGH = 4.5


class BadColour(Refusal):
    code = "bad_colour"
    message = N_("“%(typed)s” is not a colour.")
    advice = N_("Write it as # and six hexadecimal digits, for example #1f4fd8.")


class AccentTooWeak(Refusal):
    code = "accent_too_weak"
    message = N_("Text on %(accent)s is hard to read (contrast %(ratio)s to 1, 4.5 is needed).")
    advice = N_("The nearest colour that works is %(nearest)s.")


def check_accent(typed: str) -> str:
    """The colour as `#rrggbb`. Raises BadColour, and AccentTooWeak with `nearest` among its values."""
    accent = normal(typed)
    if contrast(accent, text_on(accent)) < ENOUGH:
        ratio = f"{contrast(accent, text_on(accent)):.2f}"
        raise AccentTooWeak(param="accent", accent=accent, ratio=ratio, nearest=nearest_accent(accent))
    return accent


def nearest_accent(accent: str) -> str:
    """The accent itself, or the nearest lighter or darker one that carries text."""
    return _nearest(accent, lambda colour: contrast(colour, text_on(colour)) >= ENOUGH)


def text_on(ground: str) -> str:
    """White or dark ink, whichever stands out more."""
    return max((WHITE, INK), key=lambda ink: contrast(ground, ink))


@lru_cache(512)
def readable(colour: str, ground: str) -> str:
    """`colour`, or the nearest lighter or darker one that can be read as text on `ground`."""
    return _nearest(colour, lambda candidate: contrast(candidate, ground) >= ENOUGH)


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def normal(typed: str) -> str:
    """`#1F4`, `1f4fd8` -> `#rrggbb`. Raises BadColour."""
    digits = typed.strip().lstrip("#").lower()
    if re.fullmatch(r"[0-9a-f]{3}", digits):
        digits = "".join(digit * 2 for digit in digits)
    if not re.fullmatch(r"[0-9a-f]{6}", digits):
        raise BadColour(param="accent", typed=typed[:40])
    return f"#{digits}"


def _nearest(colour: str, passes) -> str:  # passes: Callable[[str], bool]
    if passes(colour):
        return colour
    for step in range(1, 256):
        for end in (0, 255):
            candidate = _towards(colour, end, step)
            if passes(candidate):
                return candidate
    raise AssertionError("neither black nor white passes")


def _towards(colour: str, end: int, step: int) -> str:
    mixed = [round(part + (end - part) * step / 255) for part in _parts(colour)]
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
