"""Who asks, and the shape of an action that can be approved. To add one, add a file to `actions/`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection

from app.core.limits import Limit

Request = Mapping[str, Any]
LimitOf = Callable[[str, UUID, str], Limit]  # permission, merchant, currency


@dataclass(frozen=True, slots=True)
class Asker:
    """A staff member or an API key. `strict`: above its limits it is refused; others' requests wait for approval."""

    actor: str
    limit: LimitOf
    user_id: UUID | None = None
    roles: tuple[str, ...] = ()
    key_id: UUID | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """`finish`: what remains to be done after the commit (calls outside). `secret`: for the maker's eyes only."""

    finish: Callable[[], object] | None = None
    secret: str | None = None


class Action(Protocol):
    """`PERMISSION` is what the checker needs besides approval.decide. `LABEL` is read by people.

    `facts` are taken when it is asked for and when it is approved (under lock, inside the transaction); if they differ,
    the request is stale. `outcome`: "executed", "failed", or None while it cannot be told.
    """

    @property
    def LABEL(self) -> str: ...
    @property
    def PERMISSION(self) -> str: ...
    def facts(self, connection: Connection, request: Request) -> dict[str, Any]: ...
    def start(self, connection: Connection, request: Request) -> Started: ...
    def drop(self, connection: Connection, request: Request, code: str, actor: str) -> None: ...
    def outcome(self, connection: Connection, request: Request) -> str | None: ...
