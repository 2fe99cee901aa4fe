"""How an endpoint is doing: since when it fails, when its merchant is warned, when it is switched off."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, or_, select, update

from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.events import tell
from app.core.ids import public_id
from app.messages.endpoints import DELIVERIES, ENDPOINTS, give_up
from app.messages.outbox import Result

WARN_AFTER = timedelta(hours=1)
SWITCH_OFF_AFTER = timedelta(hours=72)
_NOTED_EVERY = timedelta(seconds=30)  # one row per endpoint must not be written at every delivery
_ACTOR = "job:deliver_webhooks"


def note(connection: Connection, results: Iterable[Result]) -> None:
    """Keeps the endpoints' accounts: one success clears all failures. Switches off after 72 h without any."""
    tried = [result for result in results if result.outcome is not None]
    good = {result.claim.endpoint_id for result in tried if result.outcome and result.outcome.delivered}
    errors = {result.claim.endpoint_id: result.outcome.error for result in tried if result.outcome}
    bad = set(errors) - good
    at = now()
    if good:
        connection.execute(
            update(ENDPOINTS)
            .where(
                ENDPOINTS.c.id.in_(good),
                or_(
                    ENDPOINTS.c.failing_since.is_not(None),
                    ENDPOINTS.c.last_success_at.is_(None),
                    ENDPOINTS.c.last_success_at < at - _NOTED_EVERY,
                ),
            )
            .values(last_success_at=at, failing_since=None, warned_at=None)
        )
    if bad:
        rows = connection.execute(
            update(ENDPOINTS)
            .where(ENDPOINTS.c.id.in_(bad), ENDPOINTS.c.active)
            .values(failing_since=func.coalesce(ENDPOINTS.c.failing_since, at))
            .returning(*ENDPOINTS.c)
        ).mappings()
        for row in rows.all():
            if row["failing_since"] <= at - SWITCH_OFF_AFTER:
                _switch_off(connection, dict(row), errors[row["id"]])


def warn_failing() -> int:
    """Tells `endpoint.failing`, once, of endpoints without a success for an hour. Returns how many."""
    at = now()
    with atomic(ALL) as connection:
        rows = (
            connection.execute(
                update(ENDPOINTS)
                .where(
                    ENDPOINTS.c.active,
                    ENDPOINTS.c.deleted_at.is_(None),
                    ENDPOINTS.c.failing_since <= at - WARN_AFTER,
                    ENDPOINTS.c.warned_at.is_(None),
                )
                .values(warned_at=at)
                .returning(*ENDPOINTS.c)
            )
            .mappings()
            .all()
        )
        for row in rows:
            _tell("endpoint.failing", dict(row), _last_error(connection, row["id"]))
        return len(rows)


def _switch_off(connection: Connection, row: Mapping[str, Any], error: str | None) -> None:
    connection.execute(
        update(ENDPOINTS)
        .where(ENDPOINTS.c.id == row["id"])
        .values(active=False, disabled_reason="no success for 72 hours")
    )
    _tell("endpoint.disabled", row, error)
    give_up(connection, row["id"], "endpoint switched off")


def _tell(name: str, row: Mapping[str, Any], error: str | None) -> None:
    tell(
        name,
        subject=("endpoint", row["id"]),
        merchant_id=row["merchant_id"],
        live=row["live"],
        data={
            "endpoint": public_id("whe", row["id"]),
            "url": row["url"],
            "failing_since": row["failing_since"],
            "last_error": error,
        },
        actor=_ACTOR,
    )


def _last_error(connection: Connection, endpoint_id: UUID) -> str | None:
    return connection.execute(
        select(DELIVERIES.c.last_error)
        .where(DELIVERIES.c.endpoint_id == endpoint_id, DELIVERIES.c.state == "pending", DELIVERIES.c.attempts > 0)
        .limit(1)
    ).scalar()
