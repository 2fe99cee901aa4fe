"""A file as an answer: saved, never shown. Whatever is in it, no browser runs it at our address."""

from collections.abc import Iterator
from io import BytesIO

from flask import Response, send_file

_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


def attachment(content: bytes, *, filename: str, media_type: str) -> Response:
    """`filename` may hold any letters: older clients get it without what is not ASCII (RFC 6266)."""
    answer = send_file(
        BytesIO(content), mimetype=media_type, as_attachment=True, download_name=filename, conditional=False, etag=False
    )
    return _saved(answer)


def streamed(content: Iterator[bytes], *, filename: str, media_type: str) -> Response:
    """The same for one that is sent as it is read. `filename` in ASCII."""
    answer = Response(content, content_type=media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=filename)
    return _saved(answer)


def _saved(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer
