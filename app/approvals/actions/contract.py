"""Add a contract with a provider: where the money goes. Its credentials are sealed until it is decided."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from app.approvals.actions._at_once import check, drop, gains, outcome
from app.approvals.kinds import Action, Request, Started, secrets_of
from app.core.texts import N_
from app.merchants.add import add_contract

LABEL = N_("Contract with a provider")
PERMISSION = "contract.write"
RULE = "contract"
VALUES = ("label", "methods", "currencies", "priority", "authorisation_days", "honour_days")

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """A new contract depends on nothing."""
    return {}


def start(connection: Connection, request: Request) -> Started:
    asked = request["params"]
    add_contract(
        connection,
        merchant_id=request["merchant_id"],
        live=request["live"],
        provider=asked["provider"],
        settings=secrets_of(request)["settings"],
        actor=request["maker"],
        contract_id=request["subject_id"],
        **{name: asked[name] for name in VALUES},
    )
    return Started()


if TYPE_CHECKING:
    from app.approvals.actions import contract as _me

    _: Action = _me
