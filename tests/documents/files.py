"""Small files of every kind that is kept."""

import struct
import zlib
from io import BytesIO

from PIL import Image

PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"


def png(pixels: tuple[int, int] = (2, 2)) -> bytes:
    """A picture; a very large one is only its head."""
    if pixels[0] > 1000:
        head = b"IHDR" + struct.pack(">IIBBBBB", *pixels, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    target = BytesIO()
    Image.new("RGB", pixels, "#0c5c63").save(target, "PNG")
    return target.getvalue()


def jpeg() -> bytes:
    target = BytesIO()
    Image.new("RGB", (2, 2), "#0c5c63").save(target, "JPEG")
    return target.getvalue()
