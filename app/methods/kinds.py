"""The shape of a payment method: what the payer chooses, and what the payer is asked for.

To add one, add a file here and its test; the checkout shows it as soon as an active contract takes it.
A method knows no page: it lists its fields and reads what was typed into them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from app.connectors.kinds import Card
from app.core.fields import Field


@dataclass(frozen=True, slots=True)
class Given:
    """What was read. `wrong`: field -> English sentence that says what to do. `keep`: what may be shown again."""

    card: Card | None = field(repr=False, default=None)
    wrong: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)


class Method(Protocol):
    """What a module on the shelf offers."""

    @property
    def LABEL(self) -> str: ...  # what the payer reads
    @property
    def ORDER(self) -> int: ...  # place in the list, lowest first
    @property
    def NOTE(self) -> str: ...  # one sentence instead of fields, or below them; may be empty
    @property
    def FIELDS(self) -> tuple[Field, ...]: ...
    @property
    def MARKS(self) -> tuple[str, ...]: ...  # pictures in hosted_pages/templates/hosted/marks/
    @property
    def SLOW(self) -> bool: ...  # may an answer take days, without anything being wrong?
    def read(self, typed: Mapping[str, str], today: date) -> Given: ...
