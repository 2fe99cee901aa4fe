"""A shop's look: colours, corners, font, theme, logo and words, as the pages use them.

Everything ends up in CSS variables, so no stylesheet has to know a shop. Colours are made readable
here even if a shop's accent was stored without a check.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.texts import N_
from app.merchants.contrast import BadColour, nearest_accent, normal, readable, text_on

# What a shop may say on its pages: key in shops.texts[language] -> what the back office calls it.
TEXTS = {
    "welcome": N_("A sentence above the payment form"),
    "thanks": N_("A sentence after a successful payment"),
    "support": N_("How payers reach the shop, on every page"),
}
FONTS = {
    "system": '-apple-system,"Segoe UI",Roboto,Ubuntu,Cantarell,"Noto Sans","Liberation Sans",system-ui,sans-serif',
    "humanist": '"Gill Sans","Gill Sans MT",Candara,Calibri,"Trebuchet MS","Noto Sans",sans-serif',
    "geometric": '"Avenir Next",Avenir,Futura,"Century Gothic",Montserrat,"URW Gothic","DejaVu Sans",sans-serif',
    "rounded": 'ui-rounded,"SF Pro Rounded","Arial Rounded MT Bold",Nunito,Quicksand,"DejaVu Sans",sans-serif',
    "serif": '"Iowan Old Style","Palatino Linotype",Palatino,"Book Antiqua",Georgia,"Liberation Serif",serif',
}
THEMES = ("light", "dark", "auto")
PAPER = {"light": "#ffffff", "dark": "#191d23"}
DEFAULT_ACCENT = "#1f4fd8"
LARGEST_LOGO_BYTES = 30_000  # a first page stays under 60 KB with it
LOGO_TYPES = ("image/png", "image/jpeg", "image/webp", "image/svg+xml")

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")


@dataclass(frozen=True, slots=True)
class Look:
    """`light` and `dark` are the CSS declarations of either theme; `theme` says which of them is used."""

    name: str
    theme: str
    common: str
    light: str
    dark: str
    logo: str | None  # version of the logo, for its address
    origins: tuple[str, ...]  # who may frame the pages


def look_of(shop: Mapping[str, Any]) -> Look:
    accent = _accent(shop["accent"])
    radius = min(max(int(shop["radius"]), 0), 28)
    font = FONTS.get(shop["font"], FONTS["system"])
    return Look(
        name=shop["name"],
        theme=shop["theme"] if shop["theme"] in THEMES else "light",
        common=f"--accent:{accent};--on-accent:{text_on(accent)};--radius:{radius}px;--font:{font}",
        light=f"--accent-ink:{readable(accent, PAPER['light'])}",
        dark=f"--accent-ink:{readable(accent, PAPER['dark'])}",
        logo=hashlib.sha256(shop["logo"]).hexdigest()[:10] if _shows(shop) else None,
        origins=tuple(origin for origin in shop["allowed_origins"] if _ORIGIN.fullmatch(origin)),
    )


def neutral() -> Look:
    """For pages that belong to no shop."""
    plain = {"accent": DEFAULT_ACCENT, "radius": 10, "font": "system", "theme": "auto"}
    nobody = {"name": "", "logo": None, "logo_type": None, "allowed_origins": [], **plain}
    return look_of(nobody)


def words_of(shop: Mapping[str, Any], language: str, key: str) -> str:
    """The shop's own sentence in that language; a sentence in another language is better left out."""
    assert key in TEXTS
    said = shop["texts"].get(language)
    value = said.get(key) if isinstance(said, dict) else None
    return value.strip() if isinstance(value, str) else ""


def _accent(stored: str) -> str:
    try:
        return nearest_accent(normal(stored))
    except BadColour:
        return DEFAULT_ACCENT


def _shows(shop: Mapping[str, Any]) -> bool:
    return bool(shop["logo"]) and shop["logo_type"] in LOGO_TYPES
