"""A shop's logo: what was uploaded is read as a picture and drawn anew, so nothing but pixels is kept.

What the file says of itself (name, type) is not believed; its content decides. Vector pictures are refused: SVG can
carry scripts and references, and a cleaned one would still not be only pixels.
"""

import base64
import binascii
import struct
import warnings
from io import BytesIO
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

from app.core.errors import Refusal
from app.core.texts import N_

TYPE = "image/png"
LARGEST_UPLOAD_BYTES = 900_000
LARGEST_KEPT_BYTES = 30_000  # the first hosted page stays small with it
_BOX = (480, 160)  # pixels; shown at half that size
_LONGEST_SIDE = 6_000  # pixels
_MOST_PIXELS = 12_000_000  # 48 MB while it is drawn; a small file can claim to be any size
_LEAST_SIDE = 16
_FORMATS = ("PNG", "JPEG", "WEBP")
# What Pillow raises at files that are broken, or broken on purpose.
_BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error, OverflowError, KeyError)


class BadLogo(Refusal):
    code = "bad_logo"
    message = N_("This file is not a picture that we can read.")
    advice = N_("Upload a PNG, JPEG or WebP file.")


class VectorLogo(BadLogo):
    code = "vector_logo"
    message = N_("Vector pictures (SVG) cannot be taken: they can carry more than a picture.")
    advice = N_("Export it as PNG, at least 320 pixels wide.")


class LogoTooLarge(Refusal):
    code = "logo_too_large"
    message = N_("This picture is too large.")
    advice = N_("Upload one below 900 KB, at most 6000 pixels wide and high, and at most 12 megapixels.")


class LogoTooSmall(Refusal):
    code = "logo_too_small"
    message = N_("This picture is too small.")
    advice = N_("Upload one that is at least 16 pixels wide and high; 320 pixels wide looks sharp.")


def of_form(upload: IO[bytes] | None, kept: str | None) -> bytes | None:
    """The logo that a form carries: a chosen file, or one that an earlier answer kept in it (base64). None: neither.

    Both are redrawn: what comes back from a browser is as strange as what came first. Raises as `redrawn`.
    """
    if upload is not None:
        return redrawn(upload.read(LARGEST_UPLOAD_BYTES + 1))[0]
    if not kept:
        return None
    try:
        return redrawn(base64.b64decode(kept, validate=True))[0]
    except (binascii.Error, ValueError):
        raise BadLogo(param="logo") from None


def redrawn(upload: bytes) -> tuple[bytes, str]:
    """The picture as PNG of at most 480 by 160 pixels and 30 KB, and its type.

    Raises BadLogo, VectorLogo, LogoTooLarge, LogoTooSmall.
    """
    if len(upload) > LARGEST_UPLOAD_BYTES:
        raise LogoTooLarge(param="logo")
    picture = _read(upload)
    for scale in (1.0, 0.75, 0.5, 0.35):
        content = _png(picture, scale)
        if len(content) <= LARGEST_KEPT_BYTES:
            return content, TYPE
    raise LogoTooLarge(param="logo")


def _read(upload: bytes) -> Image.Image:
    if b"<svg" in upload[:4096].lower():
        raise VectorLogo(param="logo")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(upload), formats=_FORMATS)  # reads the head only
            _check_size(picture)
            picture.draft("RGB", (_BOX[0] * 2, _BOX[1] * 2))  # a JPEG is drawn small at once
            return ImageOps.exif_transpose(picture).convert("RGBA")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise LogoTooLarge(param="logo") from None
    except _BROKEN:
        raise BadLogo(param="logo") from None


def _check_size(picture: Image.Image) -> None:
    """By what the file's head claims, before a pixel is drawn. Raises LogoTooLarge, LogoTooSmall."""
    if max(picture.size) > _LONGEST_SIDE or picture.width * picture.height > _MOST_PIXELS:
        raise LogoTooLarge(param="logo")
    if min(picture.size) < _LEAST_SIDE:
        raise LogoTooSmall(param="logo")


def _png(picture: Image.Image, scale: float) -> bytes:
    small = picture.copy()
    small.thumbnail((int(_BOX[0] * scale), int(_BOX[1] * scale)), Image.Resampling.LANCZOS)
    target = BytesIO()
    small.save(target, "PNG", optimize=True)
    if target.tell() > LARGEST_KEPT_BYTES:
        target = BytesIO()
        small.quantize(128, method=Image.Quantize.FASTOCTREE).save(target, "PNG", optimize=True)
    return target.getvalue()
