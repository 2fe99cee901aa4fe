"""The shape of a module on the shelf."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Hidden:
    """`subject` is what it belongs to, `ids` what the event says of it, `back` the address of its page."""

    merchant_id: UUID
    live: bool
    subject: tuple[str, UUID]
    ids: Mapping[str, str]
    name: str  # of the thing it belongs to, as a person knows it
    back: str
    values: Sequence[tuple[str, str]] = field(repr=False)  # (label, value in clear)


class Reveal(Protocol):
    """`TITLE` is an English text for gettext."""

    @property
    def TITLE(self) -> str: ...
    def find(self, connection: Connection, id: str) -> Hidden:
        """Raises NotFound."""
        ...


def masked(value: str) -> str:
    """For the page on which it stands hidden: DE89370400440532013000 -> DE•••••3000; short ones not at all."""
    return f"{value[:2]}•••••{value[-4:]}" if len(value) >= 15 and value.isalnum() else "••••••"
