"""A shop's look, also one that was stored badly."""

import pytest

from app.merchants.contrast import ENOUGH, contrast, text_on
from hosted_pages.looks import FONTS, PAPER, look_of, neutral, words_of

SHOP = {
    "name": "Shop",
    "accent": "#7a3b12",
    "radius": 10,
    "font": "serif",
    "theme": "light",
    "logo": None,
    "logo_type": None,
    "allowed_origins": [],
    "texts": {},
}


def test_colours_corners_and_font_become_variables():
    look = look_of(SHOP)
    assert look.common == f"--accent:#7a3b12;--on-accent:#ffffff;--radius:10px;--font:{FONTS['serif']}"
    assert look.light == "--accent-ink:#7a3b12"  # dark enough to be read on white as it is


def test_an_accent_too_pale_for_text_is_darkened_for_links_but_not_for_buttons():
    look = look_of({**SHOP, "accent": "#ffd60a"})
    assert "--accent:#ffd60a;--on-accent:#14181f" in look.common
    ink = look.light.partition(":")[2]
    assert contrast(ink, PAPER["light"]) >= ENOUGH
    assert look.dark == "--accent-ink:#ffd60a"


def test_an_accent_stored_without_a_check_is_mended():
    accent = look_of({**SHOP, "accent": "#777777"}).common[9:16]
    assert contrast(accent, text_on(accent)) >= ENOUGH


@pytest.mark.parametrize(
    ("column", "stored"),
    [
        ("accent", "red;}body{display:none"),
        ("font", "Comic Sans'}"),
        ("theme", "sepia"),
        ("radius", 9999),
        ("radius", -5),
    ],
)
def test_nonsense_falls_back_to_something_that_works(column, stored):
    look = look_of({**SHOP, column: stored})
    assert str(stored) not in look.common
    assert look.theme in ("light", "dark", "auto")
    assert "}" not in look.common


@pytest.mark.parametrize(
    ("origin", "kept"),
    [
        ("https://shop.example", True),
        ("http://127.0.0.1:8701", True),
        ("http://[::1]:80", True),
        ("https://shop.example/", False),
        ("*", False),
        ("https://*.example", False),
        ("'self'", False),
        ("https://a.example https://b.example", False),
        ("https://a.example;script-src *", False),
        ("ftp://a.example", False),
    ],
)
def test_only_exact_origins_may_frame(origin, kept):
    assert look_of({**SHOP, "allowed_origins": [origin]}).origins == ((origin,) if kept else ())


def test_a_logo_of_an_unknown_type_is_not_shown_and_a_new_one_gets_a_new_address():
    assert look_of({**SHOP, "logo": b"x", "logo_type": "text/html"}).logo is None
    one, other = (look_of({**SHOP, "logo": logo, "logo_type": "image/png"}).logo for logo in (b"x", b"y"))
    assert one and other and one != other


@pytest.mark.parametrize("texts", [{}, {"de": None}, {"de": "x"}, {"de": {"thanks": 5}}, {"en": {"thanks": "Thanks"}}])
def test_a_missing_sentence_is_empty(texts):
    assert words_of({**SHOP, "texts": texts}, "de", "thanks") == ""


def test_pages_of_nobody_follow_the_readers_wish():
    assert neutral().theme == "auto"
