"""The rules that a live installation begins with: what would let one person send money or secrets elsewhere."""

from sqlalchemy import Connection, exists, select

from app.approvals.rules import RULES, add_rule

# Who hears of payments, who may call, who may do what, where the money goes, and who may pay again.
USUAL = ("endpoint", "api_key", "rights", "contract", "unblock")


def add_usual_rules(connection: Connection, *, actor: str) -> int:
    """Those that are missing, over all merchants. Returns how many were added."""
    missing = [action for action in USUAL if not connection.execute(select(_holds_for_all(action))).scalar()]
    for action in missing:
        add_rule(connection, actor=actor, merchant_id=None, action=action)
    return len(missing)


def is_watched(connection: Connection) -> bool:
    """Whether there is any rule over all merchants."""
    return bool(connection.execute(select(exists().where(RULES.c.merchant_id.is_(None)))).scalar())


def _holds_for_all(action: str):  # an SQL condition
    """A rule that names nothing else but the action."""
    narrower = ("merchant_id", "above", "method", "user_id", "role", "api_key_id")
    return exists().where(RULES.c.action == action, *(RULES.c[name].is_(None) for name in narrower))
