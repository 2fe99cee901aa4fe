"""The shape of a hosted page. To add one, add a file to `pages/` and its test."""

from typing import Any, Protocol


class Page(Protocol):
    """`PATH`: Flask's route. `VERBS`: GET, POST. `answer` gets the route's parts, returns what a view may return."""

    @property
    def PATH(self) -> str: ...
    @property
    def VERBS(self) -> tuple[str, ...]: ...
    @property
    def answer(self) -> Any: ...
