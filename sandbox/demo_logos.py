"""Logos of the demo's shops, drawn here: made for this purpose, nobody's trade mark."""

import math
from io import BytesIO

from PIL import Image, ImageDraw

TYPE = "image/png"
_SIDE, _FINER = 160, 4  # pixels; drawn larger and made smaller, so that edges are smooth


def sunrise(colour: str) -> bytes:
    """A cup, and the sun behind it."""
    picture, pen = _paper()
    pen.pieslice(_scaled(40, 22, 120, 102), 180, 360, fill=colour)
    for turn in range(7):
        angle = math.pi + math.pi * turn / 6
        start, end = (_around(80, 62, reach, angle) for reach in (48, 60))
        pen.line([*_scaled(*start), *_scaled(*end)], fill=colour, width=5 * _FINER)
    pen.rounded_rectangle(_scaled(36, 74, 112, 136), 20 * _FINER, fill=colour, corners=(False, False, True, True))
    pen.arc(_scaled(94, 82, 134, 122), -90, 90, fill=colour, width=8 * _FINER)
    pen.rounded_rectangle(_scaled(26, 142, 122, 150), 4 * _FINER, fill=colour)
    return _png(picture)


def mountains(colour: str) -> bytes:
    """Two peaks below the northern light."""
    picture, pen = _paper()
    for number in range(3):
        pen.arc(_scaled(12, 12 + 14 * number, 148, 92 + 14 * number), 205, 335, fill=colour, width=5 * _FINER)
    pen.polygon(_scaled(14, 144, 62, 66, 110, 144), fill=colour)
    pen.polygon(_scaled(72, 144, 108, 90, 146, 144), fill=colour)
    pen.polygon(_scaled(62, 66, 74, 86, 64, 82, 55, 90, 50, 86), fill="#ffffff")
    return _png(picture)


def _paper() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGBA", (_SIDE * _FINER, _SIDE * _FINER), (0, 0, 0, 0))
    return picture, ImageDraw.Draw(picture)


def _scaled(*places: float) -> list[float]:
    return [place * _FINER for place in places]


def _around(x: float, y: float, reach: float, angle: float) -> tuple[float, float]:
    return x + reach * math.cos(angle), y + reach * math.sin(angle)


def _png(picture: Image.Image) -> bytes:
    written = BytesIO()
    picture.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS).quantize(32).save(written, "PNG", optimize=True)
    return written.getvalue()
