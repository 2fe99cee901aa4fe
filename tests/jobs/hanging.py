"""A job that hangs and swallows exceptions, as a careless one might."""

import time


def hang() -> None:
    while True:
        try:
            time.sleep(60)
        except Exception:
            continue
