"""`recognise()`: what a file is, by its bytes. What a client calls it counts for nothing."""

import re
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from app.core.errors import Refusal
from app.core.texts import N_

# media type -> how names of such files end; the first is ours
EXTENSIONS = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "text/plain": (".txt",),
}
_PICTURES = {b"\x89PNG\r\n\x1a\n": ("PNG", "image/png"), b"\xff\xd8\xff": ("JPEG", "image/jpeg")}
_NOT_IN_TEXTS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


class EmptyDocument(Refusal):
    code = "document_empty"
    message = N_("This file is empty.")
    advice = N_("Choose a file with something in it.")


class UnknownKindOfDocument(Refusal):
    code = "document_type_refused"
    message = N_("This is not a kind of file that is kept here.")
    advice = N_("Send a PDF, a PNG or JPEG picture, or a plain text in UTF-8.")


def recognise(content: bytes) -> str:
    """The media type. Raises EmptyDocument, UnknownKindOfDocument (also for a picture that cannot be read)."""
    if not content:
        raise EmptyDocument(param="file")
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    for beginning, (form, media_type) in _PICTURES.items():
        if content.startswith(beginning) and _is_picture(content, form):
            return media_type
    if _is_text(content):
        return "text/plain"
    raise UnknownKindOfDocument(param="file")


def _is_picture(content: bytes, form: str) -> bool:
    """Reads its head; the pixels are never unpacked here, so a picture that would be huge does no harm."""
    try:
        with Image.open(BytesIO(content), formats=(form,)) as picture:
            return picture.width * picture.height > 0
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _is_text(content: bytes) -> bool:
    try:
        written = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not _NOT_IN_TEXTS.search(written) and bool(written.strip("\ufeff \t\r\n"))
