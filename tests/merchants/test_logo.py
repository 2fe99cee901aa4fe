"""Logos are drawn anew: only pixels are kept, and not many."""

import io
import random

import pytest
from PIL import Image, PngImagePlugin

from app.merchants.logo import LARGEST_KEPT_BYTES, BadLogo, LogoTooLarge, redrawn


def picture(size, kind="PNG", **more):
    content = io.BytesIO()
    Image.new("RGB", size, "#123456").save(content, kind, **more)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_pictures_become_small_pngs(kind):
    content, mime = redrawn(picture((2000, 500), kind))
    assert mime == "image/png"
    assert Image.open(io.BytesIO(content)).size == (480, 120)


def test_small_ones_stay_as_large_as_they_are():
    content, _ = redrawn(picture((32, 32)))
    assert Image.open(io.BytesIO(content)).size == (32, 32)


def test_noise_is_made_to_fit():
    choice = random.Random(1)
    noisy = Image.frombytes("RGB", (480, 160), choice.randbytes(480 * 160 * 3))
    content = io.BytesIO()
    noisy.save(content, "PNG")
    kept, _ = redrawn(content.getvalue())
    assert len(kept) <= LARGEST_KEPT_BYTES


def test_nothing_but_pixels_is_kept():
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "<script>alert(1)</script>")
    content, _ = redrawn(picture((100, 50), pnginfo=notes))
    assert b"script" not in content


NO_PICTURES = [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n", b"GIF89a" + b"\0" * 50]


@pytest.mark.parametrize("upload", NO_PICTURES, ids=["empty", "svg", "cut", "gif"])
def test_what_is_no_picture_is_refused(upload):
    with pytest.raises(BadLogo):
        redrawn(upload)


def test_what_is_too_large_is_refused():
    with pytest.raises(LogoTooLarge):
        redrawn(b"\0" * 1_000_000)
    with pytest.raises(LogoTooLarge):
        redrawn(picture((6000, 5000)))
