"""Does a contract's connection work? A harmless call with its credentials; what came of it is told, and kept at the
contract as long as its settings stay the same."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import redis
from sqlalchemy import update

from app.connectors import CONNECTORS
from app.connectors.kinds import Checked, Checks, Contract
from app.core import http, queue
from app.core.clock import now
from app.core.db import atomic, of
from app.core.errors import Conflict, Refusal
from app.core.events import tell
from app.core.ids import public_id
from app.core.texts import N_
from app.merchants import contracts
from app.merchants.add import CONTRACTS

MOST_PER_MINUTE = 10
PATIENCE_SECONDS = 5.0  # somebody waits in front of a page


class CheckedTooOften(Refusal):
    kind = "rate_limit"
    status = 429
    code = "checked_too_often"
    message = N_("The connections of this merchant were tested %(most)s times within a minute.")
    advice = N_("Wait a minute and try again.")


class NotCheckable(Conflict):
    code = "not_checkable"
    message = N_("%(provider)s has no way to test a connection.")
    advice = N_("Make a small payment instead.")


def check_contract(row: Mapping[str, Any], *, actor: str) -> Checked:
    """Tests a stored contract. `row`: of `contracts`. Raises CheckedTooOften, NotCheckable."""
    found = _asked(contracts.opened(row), row["merchant_id"])
    with atomic(of(row["merchant_id"], row["live"])) as connection:
        same = (CONTRACTS.c.id == row["id"], CONTRACTS.c.settings_sealed == row["settings_sealed"])
        connection.execute(update(CONTRACTS).where(*same).values(checked_at=now(), check_result=found.result.value))
        _told(found, ("contract", row["id"]), row["merchant_id"], row["live"], row["provider"], actor)
    return found


def check_settings(
    *,
    merchant_id: UUID,
    live: bool,
    provider: str,
    given: Mapping[str, str],
    before: bytes | None = None,
    actor: str,
) -> Checked:
    """Tests settings that are not saved yet; an empty secret is the one stored `before`.

    Raises SettingNeeded, CheckedTooOften, NotCheckable.
    """
    settings = contracts.complete(provider, given, before)
    found = _asked(Contract(id="ctr_not_saved", provider=provider, live=live, settings=settings), merchant_id)
    with atomic(of(merchant_id, live)):
        _told(found, ("merchant", merchant_id), merchant_id, live, provider, actor)
    return found


def _asked(contract: Contract, merchant_id: UUID) -> Checked:
    connector = CONNECTORS[contract.provider]
    if not isinstance(connector, Checks):
        raise NotCheckable(provider=connector.LABEL)
    if _count(merchant_id) > MOST_PER_MINUTE:
        raise CheckedTooOften(most=MOST_PER_MINUTE)
    with http.at_most(PATIENCE_SECONDS):
        return connector.check(contract)


def _count(merchant_id: UUID) -> int:
    """Tests of this merchant's connections within the last minute, this one included."""
    key = f"zahlwerk:checked:{merchant_id}"
    try:
        with queue.connection().pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, 60, nx=True)
            count, _ = pipe.execute()
    except redis.RedisError:
        return 0  # nothing is lost by one test too many
    return int(count)


def _told(found: Checked, subject: tuple[str, UUID], merchant_id: UUID, live: bool, provider: str, actor: str) -> None:
    data = {"provider": provider, "result": found.result.value, "provider_code": found.provider_code}
    if subject[0] == "contract":
        data["contract"] = public_id("ctr", subject[1])
    tell(
        "contract.checked",
        subject=subject,
        merchant_id=merchant_id,
        live=live,
        audience="staff",
        data=data,
        actor=actor,
    )
