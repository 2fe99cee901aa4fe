"""What needs a second pair of eyes: rules, and the limits of whoever asks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, insert, or_, select, text, update

from app.approvals.kinds import Asker
from app.approvals.models import ApprovalRule, LimitUse
from app.core.clock import now
from app.core.db import table_of
from app.core.errors import NotFound, Refusal
from app.core.events import tell
from app.core.fast import Statement
from app.core.ids import public_id, uuid7
from app.core.money import exponent
from app.core.texts import N_

RULES, USES = table_of(ApprovalRule), table_of(LimitUse)
_DAY_IN = ZoneInfo("Europe/Berlin")  # a limit's day is the desk's day


class BadRule(Refusal):
    code = "bad_rule"
    message = N_("An amount needs its currency and must be zero or more.")


_MATCHING = Statement(
    text(
        "SELECT id, above, currency FROM approval_rules WHERE action = :action"
        " AND (merchant_id IS NULL OR merchant_id = :merchant)"
        " AND (above IS NULL OR (currency = :currency AND above < :amount))"
        " AND (method IS NULL OR method = :method)"
        " AND (user_id IS NULL OR user_id = :user) AND (api_key_id IS NULL OR api_key_id = :key)"
        " AND (role IS NULL OR role = ANY (:roles)) ORDER BY id LIMIT 1"
    )
)


def matching(
    connection: Connection,
    action: str,
    asker: Asker,
    *,
    merchant_id: UUID | None,
    amount: int | None = None,
    currency: str | None = None,
    method: str | None = None,
) -> dict[str, Any] | None:
    """Why it needs approval, by rule; None: no rule says so."""
    row = _MATCHING.row(
        connection,
        {
            "action": action,
            "merchant": merchant_id,
            "currency": currency,
            "amount": amount if amount is not None else -1,
            "method": method,
            "user": asker.user_id,
            "key": asker.key_id,
            "roles": list(asker.roles),
        },
    )
    if row is None:
        return None
    return {"rule": public_id("rul", row[0]), "above": row[1], "currency": row[2]}


def over_limit(
    connection: Connection, asker: Asker, permission: str, payment: Mapping[str, Any], amount: int, *, lock: bool
) -> dict[str, Any] | None:
    """Why the asker may not do this alone: `{"limit": minor, "kind": "each" | "daily", ...}`. None: within the limits.

    `lock`: two commands of one asker wait for each other when there is a daily limit, so that together they stay below.
    """
    limit = asker.limit(permission, payment["merchant_id"], payment["currency"])
    if limit.each is not None and amount > limit.each:
        return {"limit": limit.each, "kind": "each", "currency": payment["currency"]}
    if limit.daily is None:
        return None
    if lock:
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"limit {asker.actor}"))))
    if used(connection, asker.actor, permission, payment) + amount > limit.daily:
        return {"limit": limit.daily, "kind": "daily", "currency": payment["currency"]}
    return None


def used(connection: Connection, actor: str, permission: str, payment: Mapping[str, Any]) -> int:
    """What they did today, minor units."""
    return connection.execute(
        select(func.coalesce(func.sum(USES.c.amount), 0)).where(
            USES.c.actor == actor,
            USES.c.permission == permission,
            USES.c.currency == payment["currency"],
            USES.c.live == payment["live"],
            USES.c.day == _today(),
        )
    ).scalar_one()


def use(
    connection: Connection, asker: Asker, permission: str, payment: Mapping[str, Any], amount: int, group_id: UUID
) -> None:
    """Counts towards the daily limit, if there is one."""
    if asker.limit(permission, payment["merchant_id"], payment["currency"]).daily is None:
        return
    connection.execute(
        insert(USES).values(
            id=uuid7(),
            actor=asker.actor,
            permission=permission,
            currency=payment["currency"],
            live=payment["live"],
            day=_today(),
            amount=amount,
            group_id=group_id,
        )
    )


def give_back(connection: Connection, group_id: UUID) -> None:
    """Nothing came of it: it does not count."""
    connection.execute(update(USES).where(USES.c.group_id == group_id).values(amount=0))


def add_rule(connection: Connection, *, actor: str, **columns: Any) -> UUID:
    """`columns`: those of ApprovalRule. Raises BadRule, UnknownCurrency."""
    if (columns.get("above") is None) != (columns.get("currency") is None) or (columns.get("above") or 0) < 0:
        raise BadRule(param="above")
    if columns.get("currency"):
        exponent(columns["currency"])
    rule_id = uuid7()
    connection.execute(insert(RULES).values(id=rule_id, created_by=actor, created_at=now(), **columns))
    _told("approval_rule.added", rule_id, columns, actor)
    return rule_id


def remove_rule(connection: Connection, rule_id: UUID, *, actor: str) -> None:
    """Raises NotFound."""
    row = connection.execute(delete(RULES).where(RULES.c.id == rule_id).returning(RULES)).mappings().first()
    if row is None:
        raise NotFound()
    _told("approval_rule.removed", rule_id, dict(row), actor)


def rules(connection: Connection, merchant_id: UUID | None = None) -> Any:
    """Oldest first; `merchant_id`: those that may concern this one."""
    query = select(RULES).order_by(RULES.c.id)
    if merchant_id is not None:
        query = query.where(or_(RULES.c.merchant_id.is_(None), RULES.c.merchant_id == merchant_id))
    return connection.execute(query).mappings().all()


def _today() -> Any:
    moment: datetime = now()
    return moment.astimezone(_DAY_IN).date()


def _told(name: str, rule_id: UUID, rule: Mapping[str, Any], actor: str) -> None:
    kept = ("action", "currency", "above", "method", "role", "user_id", "api_key_id", "merchant_id")
    tell(
        name,
        subject=("approval_rule", rule_id),
        merchant_id=None,
        live=None,
        audience="staff",
        data={key: str(rule[key]) if isinstance(rule.get(key), UUID) else rule.get(key) for key in kept},
        actor=actor,
    )
