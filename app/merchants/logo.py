"""A shop's logo: what was uploaded is read as a picture and drawn anew, so nothing but pixels is kept."""

import warnings
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from app.core.errors import Refusal
from app.core.texts import N_

LARGEST_UPLOAD_BYTES = 900_000
LARGEST_KEPT_BYTES = 30_000  # the first hosted page stays small with it
_BOX = (480, 160)  # pixels; shown at half that size
_MOST_PIXELS = 25_000_000
_FORMATS = ("PNG", "JPEG", "WEBP")


class BadLogo(Refusal):
    code = "bad_logo"
    message = N_("This file is not a picture that we can read.")
    advice = N_("Upload a PNG, JPEG or WebP file.")


class LogoTooLarge(Refusal):
    code = "logo_too_large"
    message = N_("This picture is too large.")
    advice = N_("Upload one below 900 KB and 25 megapixels.")


def redrawn(upload: bytes) -> tuple[bytes, str]:
    """The picture as PNG of at most 480 by 160 pixels and 30 KB, and its type. Raises BadLogo, LogoTooLarge."""
    if len(upload) > LARGEST_UPLOAD_BYTES:
        raise LogoTooLarge(param="logo")
    picture = _read(upload)
    for scale in (1.0, 0.75, 0.5, 0.35):
        content = _png(picture, scale)
        if len(content) <= LARGEST_KEPT_BYTES:
            return content, "image/png"
    raise LogoTooLarge(param="logo")


def _read(upload: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(upload), formats=_FORMATS)
            if picture.width * picture.height > _MOST_PIXELS:
                raise LogoTooLarge(param="logo")
            return picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise BadLogo(param="logo") from None
    except Image.DecompressionBombWarning:
        raise LogoTooLarge(param="logo") from None


def _png(picture: Image.Image, scale: float) -> bytes:
    small = picture.copy()
    small.thumbnail((int(_BOX[0] * scale), int(_BOX[1] * scale)), Image.Resampling.LANCZOS)
    target = BytesIO()
    small.save(target, "PNG", optimize=True)
    if target.tell() > LARGEST_KEPT_BYTES:
        target = BytesIO()
        small.quantize(128, method=Image.Quantize.FASTOCTREE).save(target, "PNG", optimize=True)
    return target.getvalue()
