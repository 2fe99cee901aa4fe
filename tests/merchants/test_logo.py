"""Logos are drawn anew: only pixels are kept, and not many."""

import base64
import io
import random
import struct
import tracemalloc
import zlib

import pytest
from PIL import Image, PngImagePlugin

from app.merchants.logo import LARGEST_KEPT_BYTES, BadLogo, LogoTooLarge, LogoTooSmall, VectorLogo, of_form, redrawn


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


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_that_claims(width, height, *, rows=0):
    """A few bytes that say they are a picture of that size; `rows` of it are there."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * ((width * 3 + 1) * rows), 9))
    return b"\x89PNG\r\n\x1a\n" + head + pixels + chunk(b"IEND", b"")


NO_PICTURES = {
    "empty": b"",
    "cut": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a" + b"\0" * 50,
    "html": b"<html><script>alert(1)</script>",
    "half": picture((200, 200))[:90],
    "half a jpeg": picture((400, 400), "JPEG")[:300],
    "no pixels": png_that_claims(100, 100),
    "zeros": b"\0" * 5_000,
}


@pytest.mark.parametrize("upload", NO_PICTURES.values(), ids=NO_PICTURES.keys())
def test_what_is_no_picture_is_refused(upload):
    with pytest.raises(BadLogo):
        redrawn(upload)


@pytest.mark.parametrize(
    "upload", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<?xml version='1.0'?><!-- x --><SVG/>"]
)
def test_a_vector_picture_is_refused_in_words_of_its_own(upload):
    with pytest.raises(VectorLogo):
        redrawn(upload)


@pytest.mark.parametrize("size", [(7_000, 20), (20, 7_000), (4_000, 4_000), (60_000, 60_000)])
def test_a_small_file_that_claims_to_be_huge_is_refused_before_it_is_drawn(size):
    bomb = png_that_claims(*size, rows=1)
    assert len(bomb) < 1_000
    tracemalloc.start()
    with pytest.raises(LogoTooLarge):
        redrawn(bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000


def test_a_dot_is_no_logo():
    with pytest.raises(LogoTooSmall):
        redrawn(picture((8, 100)))


def test_a_photo_taken_on_its_side_stands_upright():
    turned = Image.Exif()
    turned[0x0112] = 6
    content, _ = redrawn(picture((120, 60), "JPEG", exif=turned))
    assert Image.open(io.BytesIO(content)).size == (60, 120)


def test_a_form_carries_a_file_or_what_was_kept_of_one():
    content, _ = redrawn(picture((100, 50)))
    assert of_form(None, None) is None
    assert of_form(io.BytesIO(picture((100, 50))), "ignored") == content
    assert of_form(None, base64.b64encode(content).decode()) == content
    for kept in ("no base64!", base64.b64encode(b"<svg/>").decode()):
        with pytest.raises(BadLogo):
            of_form(None, kept)


def test_what_is_too_large_is_refused():
    with pytest.raises(LogoTooLarge):
        redrawn(b"\0" * 1_000_000)
    with pytest.raises(LogoTooLarge):
        redrawn(picture((6000, 5000)))
