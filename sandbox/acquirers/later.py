"""Things the acquirer will do by itself: settle what is pending, dispute, notify.

A test need not wait: `run_now()` does everything that is due later at once.
"""

import asyncio
import itertools
from collections.abc import Callable


class Later:
    def __init__(self) -> None:
        self._waiting: dict[int, tuple[asyncio.TimerHandle, Callable[[], None]]] = {}
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting)

    def do(self, seconds: float, action: Callable[[], None]) -> None:
        number = next(self._numbers)
        self._waiting[number] = (asyncio.get_running_loop().call_later(seconds, self._run, number), action)

    def run_now(self) -> int:
        """Everything that waits now, in the order it was due, but not what that causes. Returns how many."""
        numbers = sorted(self._waiting, key=lambda number: (self._waiting[number][0].when(), number))
        for number in numbers:
            self._waiting[number][0].cancel()
            self._run(number)
        return len(numbers)

    def _run(self, number: int) -> None:
        _, action = self._waiting.pop(number)
        action()
