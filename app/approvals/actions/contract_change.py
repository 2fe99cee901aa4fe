"""Change a contract with a provider. Its credentials are sealed until it is decided."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from app.approvals.actions._at_once import check, drop, gains, outcome
from app.approvals.actions.contract import VALUES
from app.approvals.kinds import Action, Request, Started, secrets_of
from app.core import vault
from app.core.errors import NotFound
from app.core.texts import N_
from app.merchants import contracts
from app.merchants.add import CONTRACTS, change

LABEL = N_("Change of a contract")
PERMISSION = "contract.write"
RULE = "contract"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """What it is until now; of its credentials only a keyed fingerprint, which a rotation of keys leaves alone."""
    row = _row(connection, request)
    settings = "\0".join(f"{name}={value}" for name, value in sorted(contracts.opened(row).settings.items()))
    fingerprint = vault.blind_index(settings, "contract settings").hex()
    return {**{name: row[name] for name in (*VALUES, "active")}, "settings": fingerprint}


def start(connection: Connection, request: Request) -> Started:
    asked, row = request["params"], _row(connection, request)
    values = {name: asked["after"][name] for name in (*VALUES, "active")}
    settings = secrets_of(request)["settings"]
    if settings != dict(contracts.opened(row).settings):
        sealed = contracts.sealed_settings(row["provider"], settings)
        values |= {"settings_sealed": sealed, "checked_at": None, "check_result": None}
    change(connection, CONTRACTS, row["id"], values, noun="contract", actor=request["maker"])
    return Started()


def _row(connection: Connection, request: Request) -> Any:
    query = select(CONTRACTS).where(CONTRACTS.c.id == request["subject_id"]).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound()
    return row


if TYPE_CHECKING:
    from app.approvals.actions import contract_change as _me

    _: Action = _me
