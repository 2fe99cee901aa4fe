"""A file as an answer: saved, never shown. Whatever is in it, no browser runs it at our address."""

from io import BytesIO

from flask import Response, send_file

_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


def attachment(content: bytes, *, filename: str, media_type: str) -> Response:
    """`filename` may hold any letters: older clients get it without what is not ASCII (RFC 6266)."""
    answer = send_file(
        BytesIO(content), mimetype=media_type, as_attachment=True, download_name=filename, conditional=False, etag=False
    )
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer
