"""One field that a payer is asked for. Methods and risk steps list theirs; the hosted pages render them all alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form. Texts are English, for gettext; `purpose` is HTML's autocomplete token.

    `wide`: a line of its own, otherwise two share one. `secret`: never shown again after it was sent.
    `says`: what a script in the page may say before anything is sent, by what is wrong (missing, wrong ...).
    """

    name: str
    label: str
    purpose: str
    keyboard: Literal["text", "numeric", "email", "tel"] = "text"
    help: str = ""
    longest: int = 100
    wide: bool = True
    secret: bool = False
    says: Mapping[str, str] = field(default_factory=dict)


class Asks(Protocol):
    """Whatever asks a payer for something."""

    @property
    def FIELDS(self) -> tuple[Field, ...]: ...
