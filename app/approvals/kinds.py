"""Who asks, and the shape of an action that can be approved. To add one, add a file to `actions/`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection

from app.core import vault
from app.core.ids import public_id
from app.core.limits import Allowances
from app.staff.access import Staff

Request = Mapping[str, Any]
LimitsOf = Callable[[str, UUID, str], Allowances]  # permission, merchant, currency
MayOf = Callable[[str, UUID], bool]  # permission, merchant


@dataclass(frozen=True, slots=True)
class Asker:
    """A staff member or an API key. `strict`: above its limits it is refused; others' requests wait for approval.

    `key_id`: the first of the keys that were rotated into this one (its lineage).
    """

    actor: str
    limits: LimitsOf
    user_id: UUID | None = None
    roles: tuple[str, ...] = ()
    key_id: UUID | None = None
    strict: bool = False
    may: MayOf = lambda _permission, _merchant: True

    @property
    def holder(self) -> str:
        """Whose daily total it is: rotating a key begins no new one."""
        return self.actor if self.key_id is None else f"key:{public_id('key', self.key_id)}"


PARAMS_SEALED_AS = "approval_requests.sealed_params"


def secrets_of(request: Request) -> Mapping[str, Any]:
    """Parameters that nobody may read, as they were given."""
    return vault.unseal_json(request["sealed_params"], PARAMS_SEALED_AS)


def asker_of(staff: Staff) -> Asker:
    return Asker(staff.actor, staff.limits, user_id=staff.id, roles=staff.roles, may=staff.may)


@dataclass(frozen=True, slots=True)
class Started:
    """`finish`: what remains to be done after the commit (calls outside). `secret`: for the maker's eyes only."""

    finish: Callable[[], object] | None = None
    secret: str | None = None


class Action(Protocol):
    """`PERMISSION` is what the checker needs besides approval.decide. `LABEL` is read by people. `RULE` names the
    action whose rules call for it: its own, or that of a larger whole (rotating a key falls under the rules for keys).

    `facts` are taken when it is asked for and when it is approved (under lock, inside the transaction); if they differ,
    the request is stale. `check` raises the refusal if it could not be asked for any more. `gains`: users who would
    gain by it, and so do not decide. `outcome`: "executed", "failed", or None while it cannot be told.
    """

    @property
    def LABEL(self) -> str: ...
    @property
    def PERMISSION(self) -> str: ...
    @property
    def RULE(self) -> str: ...
    def facts(self, connection: Connection, request: Request) -> dict[str, Any]: ...
    def check(self, connection: Connection, request: Request) -> None: ...
    def gains(self, connection: Connection, request: Request) -> frozenset[UUID]: ...
    def start(self, connection: Connection, request: Request) -> Started: ...
    def drop(self, connection: Connection, request: Request, code: str, actor: str) -> None: ...
    def outcome(self, connection: Connection, request: Request) -> str | None: ...
