"""The shape of a module on the shelf."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from app.privacy.person import Person

Rows = Sequence[Mapping[str, Any]]


class Known(Protocol):
    """`TITLE` and `STAYS` are English texts for gettext. `STAYS` says what an erasure leaves, until when, and which law
    wants it; empty: nothing is left."""

    @property
    def ORDER(self) -> int: ...
    @property
    def TITLE(self) -> str: ...
    @property
    def STAYS(self) -> str: ...
    def known(self, connection: Connection, person: Person) -> Rows:
        """What is known, in words and numbers that the person can read."""
        ...

    def erase(self, connection: Connection, person: Person) -> int:
        """Removes what may be removed. Returns how many."""
        ...
