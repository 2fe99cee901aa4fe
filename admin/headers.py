"""What every answer of the back office says to the browser: nothing from elsewhere, no frames, no copies kept.

The rest is what every answer says (app/core/headers.py).
"""

from flask import Response, g

from admin.here import here


def nonce() -> str:
    """This response's; scripts without it do not run."""
    return here().nonce


def secure(response: Response) -> Response:
    frames = getattr(g, "frames", "'none'")  # a page that frames one of ours says so
    response.headers.setdefault(  # a file that is saved has a stricter one (core/attachment.py)
        "Content-Security-Policy",
        f"default-src 'none'; script-src 'nonce-{nonce()}'; style-src 'self'; img-src 'self' data:; font-src 'self';"
        f" connect-src 'self'; frame-src {frames}; form-action 'self'; frame-ancestors 'none';"
        " base-uri 'none'",
    )
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
