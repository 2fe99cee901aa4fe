"""Colours: the known ratios, what is refused, and that what is proposed passes and is near."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.merchants.contrast import (
    ENOUGH,
    INK,
    WHITE,
    AccentTooWeak,
    BadColour,
    check_accent,
    contrast,
    nearest_accent,
    normal,
    readable,
    text_on,
)

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_ratios_are_those_of_the_standard(one, other, ratio):
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(one, other) == contrast(other, one)


def test_text_on_a_colour_is_whichever_stands_out():
    assert text_on("#ffd60a") == INK
    assert text_on("#7a3b12") == WHITE


def test_a_colour_that_carries_text_is_taken():
    for typed, stored in (("#7A3B12", "#7a3b12"), ("ffd60a", "#ffd60a"), ("#14f", "#1144ff")):
        assert check_accent(typed) == stored


def test_a_colour_that_carries_no_text_is_refused_with_the_nearest_that_does():
    with pytest.raises(AccentTooWeak) as refusal:
        check_accent("#777777")
    nearest = str(refusal.value.values["nearest"])
    assert nearest == "#767676"
    assert check_accent(nearest) == nearest
    assert refusal.value.param == "accent"


@pytest.mark.parametrize("typed", ["", "red", "#12", "#12345", "#gggggg", "#1234567", "rgb(1,2,3)", "#1f4fd8;}*{x:y"])
def test_what_is_no_colour_is_refused(typed):
    with pytest.raises(BadColour):
        normal(typed)


@given(colours)
def test_what_is_proposed_always_passes(colour):
    nearest = nearest_accent(colour)
    assert contrast(nearest, text_on(nearest)) >= ENOUGH
    assert check_accent(nearest) == nearest


@given(colours, st.sampled_from(["#ffffff", "#191d23"]))
def test_an_accent_as_text_can_always_be_read(colour, ground):
    assert contrast(readable(colour, ground), ground) >= ENOUGH
