"""What every answer tells the browser unless its door has said it otherwise: nothing runs, nothing frames it, nothing
is shared with other sites. The doors widen this in their own file; a test walks all of them."""

from flask import Response

from app.config import settings

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# Everything a page of ours never asks a browser for. The checkout alone says more about `payment`.
PERMISSIONS = (
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(),"
    " midi=(), payment=(), usb=()"
)
_YEAR = 31_536_000


def add_missing(response: Response) -> None:
    """Fills in what the door has left open."""
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("Permissions-Policy", PERMISSIONS)
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if "frame-ancestors 'none'" in headers["Content-Security-Policy"]:
        headers["X-Frame-Options"] = "DENY"  # for browsers older than the policy; it knows no list of origins
    if settings().secure_cookies:
        headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}; includeSubDomains")
