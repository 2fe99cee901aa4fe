"""Set when this process was asked to end: long jobs look at it and stop early."""

import threading

STOPPING = threading.Event()
