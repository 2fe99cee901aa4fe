"""What needs a second pair of eyes: rules, and the limits of whoever asks."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, insert, or_, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from app.approvals.kinds import Asker
from app.approvals.models import ApprovalRule, LimitUse
from app.core.clock import now
from app.core.db import table_of
from app.core.errors import NotFound, Refusal
from app.core.events import tell
from app.core.fast import Statement
from app.core.ids import public_id, uuid7
from app.core.limits import Allowance, exceeded
from app.core.money import exponent
from app.core.texts import N_
from app.merchants.models import ApiKey

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
    connection: Connection,
    asker: Asker,
    permission: str,
    payment: Mapping[str, Any],
    amount: int,
    *,
    lock: bool,
    before: Mapping[UUID, int] | None = None,
) -> dict[str, Any] | None:
    """Why the asker may not do this alone: `{"limit": minor, "kind": "each" | "daily", ...}`. None: within the limits.

    `payment`: whatever has merchant_id, live and currency. `lock`: two commands of one asker wait for each other when
    there is a daily limit, so that together they stay below. `before`: minor units by merchant, planned before this.
    """
    found = asker.limits(permission, payment["merchant_id"], payment["currency"])
    if lock and any(one.limit.daily is not None for one in found):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"limit {asker.holder}"))))

    def used_of(one: Allowance) -> int:
        planned = sum(minor for at, minor in (before or {}).items() if one.merchants is None or at in one.merchants)
        return planned + used(connection, asker.holder, permission, payment, one.merchants)

    bound = exceeded(found, amount, used_of)
    return bound and {"limit": bound[1], "kind": bound[0], "currency": payment["currency"]}


def used(
    connection: Connection,
    holder: str,
    permission: str,
    payment: Mapping[str, Any],
    merchants: Collection[UUID] | None = None,
) -> int:
    """What they did today at `merchants` (None: at all), minor units."""
    query = select(func.coalesce(func.sum(USES.c.amount), 0)).where(
        USES.c.actor == holder,
        USES.c.permission == permission,
        USES.c.currency == payment["currency"],
        USES.c.live == payment["live"],
        USES.c.day == _today(),
    )
    if merchants is not None:
        query = query.where(USES.c.at_merchant.in_(merchants))
    return int(connection.execute(query).scalar_one())


def use(
    connection: Connection, asker: Asker, permission: str, payment: Mapping[str, Any], amount: int, group_id: UUID
) -> None:
    """Counts towards the daily limit, if there is one."""
    found = asker.limits(permission, payment["merchant_id"], payment["currency"])
    if all(one.limit.daily is None for one in found):
        return
    row = {
        "id": uuid7(),
        "actor": asker.holder,
        "permission": permission,
        "currency": payment["currency"],
        "live": payment["live"],
        "day": _today(),
        "at_merchant": payment["merchant_id"],
        "asked": amount,
        "amount": amount,
        "group_id": group_id,
    }
    same = [USES.c.group_id, USES.c.actor, USES.c.permission]
    connection.execute(upsert(USES).values(row).on_conflict_do_update(index_elements=same, set_={"amount": amount}))


_RECOUNT = Statement(
    text(
        "UPDATE limit_uses u SET amount = CASE WHEN o.left_over = 0 THEN 0"
        " WHEN u.permission = 'payment.' || o.kind THEN o.left_over ELSE u.asked END"
        " FROM (SELECT max(kind) AS kind, coalesce(sum(amount) FILTER (WHERE state NOT IN ('declined', 'failed')), 0)"
        " AS left_over FROM operations WHERE group_id = :group_id) o WHERE u.group_id = :group_id"
    )
)


def recount(connection: Connection, group_id: UUID) -> None:
    """What of a command came to nothing does not count, and counts again if it turns out to have been done."""
    _RECOUNT.run(connection, {"group_id": group_id})


def add_rule(connection: Connection, *, actor: str, **columns: Any) -> UUID:
    """`columns`: those of ApprovalRule. Raises BadRule, UnknownCurrency."""
    if (columns.get("above") is None) != (columns.get("currency") is None) or (columns.get("above") or 0) < 0:
        raise BadRule(param="above")
    if columns.get("currency"):
        exponent(columns["currency"])
    if columns.get("api_key_id"):  # a rule is for all that the key is rotated into
        lineage = select(ApiKey.lineage).where(ApiKey.id == columns["api_key_id"])
        columns["api_key_id"] = connection.execute(lineage).scalar() or columns["api_key_id"]
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


def rule(connection: Connection, rule_id: UUID) -> Mapping[str, Any]:
    """Raises NotFound."""
    row = connection.execute(select(RULES).where(RULES.c.id == rule_id)).mappings().first()
    if row is None:
        raise NotFound()
    return dict(row)


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
        merchant_id=rule.get("merchant_id"),
        live=None,
        audience="staff",
        data={key: str(rule[key]) if isinstance(rule.get(key), UUID) else rule.get(key) for key in kept},
        actor=actor,
    )
