"""Runs the fake Stripe server `localstripe` on a listening socket it inherits:
`python -m tests.connectors.run_localstripe FILE_DESCRIPTOR`.

Its own command listens on every address and writes what it knows to a file that all users share; this one does
neither. `metadata` of a capture, which Stripe documents and localstripe refuses, becomes an update of the intent.
"""

import socket
import sys

from aiohttp import web
from localstripe import resources

Intent = resources.PaymentIntent
CAPTURE = "/v1/payment_intents/{id}/capture"


def capture(id, metadata=None, **known):
    Intent._api_update(id, metadata=metadata)
    return Intent._api_capture(id, **known)


if __name__ == "__main__":
    resources.Store.dump_to_disk = lambda self: None
    resources.extra_apis[:] = [
        (method, url, capture if url == CAPTURE else function) for method, url, function in resources.extra_apis
    ]
    from localstripe.server import app  # builds its routes when it is imported

    web.run_app(app, sock=socket.socket(fileno=int(sys.argv[1])), access_log=None, print=None)
