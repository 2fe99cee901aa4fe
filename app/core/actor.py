"""Who did it: written to every operation and event."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["key", "staff", "payer", "provider", "job"]


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is the public id of the key or staff member, the connector's or the job's name; "" for a payer."""

    kind: Kind
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


PAYER = Actor("payer")


def job(name: str) -> Actor:
    return Actor("job", name)


def provider(name: str) -> Actor:
    return Actor("provider", name)
