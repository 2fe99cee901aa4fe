"""Whether a command may go on by itself: asked inside its prepare transaction, when its amount is known.

The room above (app/approvals) answers; the verbs here only ask. A permit may raise a refusal (over a limit), let the
command pass, or hold it: then it is written down and reserved, and waits.
"""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection


class Hold(Protocol):
    """Called in the same transaction once the operations are written. `group_id` stands for all of them."""

    def __call__(self, connection: Connection, payment: Mapping[str, Any], group_id: UUID) -> None: ...


class Permit(Protocol):
    """`kind`: capture, refund or cancel. `amount` in minor units. `rest`: what whoever captures also wants to give back
    to the payer. None: it may go on."""

    def __call__(
        self, connection: Connection, payment: Mapping[str, Any], kind: str, amount: int, group_id: UUID, rest: int = 0
    ) -> Hold | None: ...


def always(
    connection: Connection, payment: Mapping[str, Any], kind: str, amount: int, group_id: UUID, rest: int = 0
) -> None:
    """For commands nobody has to answer for: a job's, a test's."""
