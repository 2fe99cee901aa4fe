"""Runs the fake Stripe server `localstripe` on a listening socket it inherits:
`python -m tests.connectors.run_localstripe FILE_DESCRIPTOR`.

Its own command listens on every address and writes what it knows to a file that all users share; this one does neither.
"""

import socket
import sys

from aiohttp import web
from localstripe import resources
from localstripe.server import app

if __name__ == "__main__":
    resources.Store.dump_to_disk = lambda self: None
    web.run_app(app, sock=socket.socket(fileno=int(sys.argv[1])), access_log=None, print=None)
