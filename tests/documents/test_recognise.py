"""What a file is, is decided by its bytes; what it is called, is made harmless."""

from io import BytesIO

import pytest
from PIL import Image

from app.documents.limits import LONGEST_NAME
from app.documents.name import name
from app.documents.recognise import EmptyDocument, UnknownKindOfDocument, recognise
from tests.documents.files import PDF, jpeg, png


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PDF, "application/pdf"),
        (png(), "image/png"),
        (jpeg(), "image/jpeg"),
        (b"Guten Tag,\r\ndas Paket kam nie an.\n", "text/plain"),
        ("\ufeffGrüße".encode(), "text/plain"),
        (b"<html><script>alert(1)</script>", "text/plain"),  # kept and served as plain text, never as a page
    ],
)
def test_the_bytes_tell(content, media_type):
    assert recognise(content) == media_type


def gif() -> bytes:
    target = BytesIO()
    Image.new("RGB", (2, 2)).save(target, "GIF")
    return target.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        gif(),
        b"PK\x03\x04 a zip or an office file",
        b"MZ\x90\x00\x03\x00 a program",
        b"\x89PNG\r\n\x1a\n and nothing of a picture",
        b"\xff\xd8\xff and nothing of a picture",
        jpeg()[:4],
        b"text with a \x00 in it",
        "not UTF-8: ä".encode("latin-1"),
        "Grüße".encode("utf-16"),
        b" " + PDF[:9] + b"\x93\x8c\x8b\x9e",  # what does not begin as a PDF is none
    ],
)
def test_what_is_none_of_these_is_refused(content):
    with pytest.raises(UnknownKindOfDocument) as refused:
        recognise(content)
    assert refused.value.param == "file"


def test_an_empty_file_is_refused():
    with pytest.raises(EmptyDocument):
        recognise(b"")


@pytest.mark.parametrize("blank", [b" \r\n", b"\xef\xbb\xbf"])
def test_a_text_without_a_letter_is_no_document(blank):
    with pytest.raises(UnknownKindOfDocument):
        recognise(blank)


def test_a_picture_too_large_to_unpack_is_refused_without_unpacking_it():
    head = png(pixels=(40_000, 40_000))
    assert len(head) < 100
    with pytest.raises(UnknownKindOfDocument):
        recognise(head)


@pytest.mark.parametrize(
    ("given", "media_type", "wanted"),
    [
        ("Beleg 7.pdf", "application/pdf", "Beleg 7.pdf"),
        ("Lieferschein.PDF", "application/pdf", "Lieferschein.pdf"),
        ("foto.jpeg", "image/jpeg", "foto.jpg"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("..\\..\\boot.ini", "text/plain", "boot.ini.txt"),
        ("C:\\Scans\\Rechnung.pdf", "application/pdf", "Rechnung.pdf"),
        ("a\x00b\r\nSet-Cookie: x.pdf", "application/pdf", "abSet-Cookie x.pdf"),
        ("page.html", "text/plain", "page.html.txt"),
        ("invoice.pdf", "image/png", "invoice.pdf.png"),
        ("invoice\u202efdp.exe", "application/pdf", "invoicefdp.exe.pdf"),
        ('quo"te;$(rm)`.png', "image/png", "quote(rm).png"),
        ("Müllers Quittung – März.png", "image/png", "Müllers Quittung – März.png"),
        ("  .pdf", "application/pdf", "document.pdf"),
        ("..", "image/png", "document.png"),
        ("broken\udcff.txt", "text/plain", "broken.txt"),
        ("", "text/plain", "document.txt"),
        (None, "image/jpeg", "document.jpg"),
    ],
)
def test_names_are_made_harmless_and_end_as_what_they_are(given, media_type, wanted):
    assert name(given, media_type) == wanted


def test_long_names_keep_their_ending():
    short = name("x" * 1000 + ".pdf", "application/pdf")
    assert len(short) == LONGEST_NAME and short.endswith("x.pdf")
