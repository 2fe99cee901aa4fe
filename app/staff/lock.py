"""Lock-out with back-off: after five wrong passwords (or codes, or passkeys) an account waits, longer with every
further one. An attempt is counted before it is made.

An e-mail address that belongs to nobody is treated alike (counted in Redis), so that the answer does not
tell which addresses exist. Attempts from one network address are limited too.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import redis
from sqlalchemy import case, func, select, update

from app.core import vault
from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.events import STAFF, tell
from app.core.ids import uuid7
from app.core.queue import connection as redis_connection
from app.staff.add import USERS
from app.staff.telling import tell_of

FREE_ATTEMPTS = 5
NOBODY = f"{STAFF}unknown"  # whoever they are, where they were is kept with what they did
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
_ADDRESS_ATTEMPTS = 60
_ADDRESS_REQUESTS = 20
_ADDRESS_SECONDS = 600


def wait_after(failures: int) -> timedelta | None:
    """How long to wait after so many wrong passwords in a row: 1 minute after the fifth, then doubling."""
    if failures < FREE_ATTEMPTS:
        return None
    return min(FIRST_WAIT * 2 ** min(failures - FREE_ATTEMPTS, 10), LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody is about to prove who they are. `number`: with those that failed before it; `user_id` None: nobody has
    that address; `wait_until`: nothing may be tried before. None: it was counted, and may be tried."""

    user_id: UUID | None
    email: str
    number: int
    wait_until: datetime | None = None


def attempt(email: str) -> Attempt:
    """Counts an attempt before it is made, so that guesses sent all at once are as few as guesses in a row.

    Whoever is right says so (passed(), or a log-in, which forgets all of them), whoever is not calls failed().
    """
    with atomic(ALL) as connection:
        query = select(USERS.c.id, USERS.c.failed_logins, USERS.c.locked_until).where(USERS.c.email == email)
        row = connection.execute(query.with_for_update()).first()
        if row is None:
            return _unknown(email)
        if row.locked_until is not None and row.locked_until > now():
            return Attempt(row.id, email, row.failed_logins, row.locked_until)
        number = row.failed_logins + 1
        wait = wait_after(number)
        values = {"failed_logins": number, "locked_until": None if wait is None else now() + wait}
        connection.execute(update(USERS).where(USERS.c.id == row.id).values(values))
    return Attempt(row.id, email, number)


def passed(made: Attempt) -> None:
    """It was right, or no guess: it does not count. Those that failed before it do, until a log-in is complete."""
    if made.user_id is None:
        return
    last = USERS.c.failed_logins == made.number  # else others have failed meanwhile, and their wait stays
    values = {
        "failed_logins": func.greatest(USERS.c.failed_logins - 1, 0),
        "locked_until": case((last, None), else_=USERS.c.locked_until),
    }
    with atomic(ALL) as connection:
        connection.execute(update(USERS).where(USERS.c.id == made.user_id).values(values))


def failed(made: Attempt, step: str = "password") -> None:
    """Tells of a wrong password of an existing account, or what else was wrong: totp, recovery, passkey."""
    if made.user_id is None:
        _told_of_nobody(made, step)
        return
    with atomic(ALL):
        told = "staff.login_failed" if wait_after(made.number) is None else "staff.locked_out"
        tell_of(told, made.user_id, data={"failures": made.number, "step": step})


def _told_of_nobody(made: Attempt, step: str) -> None:
    """Without what was typed: it may be somebody's address, or a password in the wrong field."""
    with atomic(ALL):
        tell(
            "access.login_failed",
            subject=("log_in", uuid7()),
            merchant_id=None,
            live=None,
            audience="staff",
            data={"failures": made.number, "step": step},
            actor=NOBODY,
        )


# Checks and counts in one go. KEYS: the address's; ARGV: now, seconds it is remembered, the waits in seconds after so
# many failures. Answers (number, until), until 0: it may be tried.
_COUNT = """
local until_ = tonumber(redis.call('HGET', KEYS[1], 'until') or '0')
local number = tonumber(redis.call('HGET', KEYS[1], 'failures') or '0')
if until_ > tonumber(ARGV[1]) then return {number, tostring(until_)} end
number = redis.call('HINCRBY', KEYS[1], 'failures', 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
local wait = tonumber(ARGV[2 + math.min(number, #ARGV - 2)])
if wait > 0 then redis.call('HSET', KEYS[1], 'until', tostring(tonumber(ARGV[1]) + wait)) end
return {number, '0'}
"""


def _unknown(email: str) -> Attempt:
    """An address that belongs to nobody waits like one that somebody has."""
    waits = [wait_after(number) or timedelta() for number in range(1, FREE_ATTEMPTS + 11)]
    given = int(now().timestamp()), int(LONGEST_WAIT.total_seconds()) * 2, *(int(one.total_seconds()) for one in waits)
    try:
        number, until = redis_connection().eval(_COUNT, 1, _key("unknown", email), *given)  # type: ignore[misc]
    except redis.RedisError:
        return Attempt(None, email, 1)  # without Redis an unknown address never locks; nothing can be got in with it
    wait_until = datetime.fromtimestamp(float(until), tz=UTC) if float(until) else None
    return Attempt(None, email, int(number), wait_until)


def failed_from(ip_address: str) -> None:
    """Counts a wrong password from this network address, whosoever account it was for."""
    _counted("address", ip_address)


def too_many_from(ip_address: str) -> bool:
    """True when too many wrong passwords came from this network address in the last ten minutes."""
    try:
        count: Any = redis_connection().get(_key("address", ip_address))
    except redis.RedisError:
        return False
    return int(count or 0) >= _ADDRESS_ATTEMPTS


def too_many_asked_from(ip_address: str) -> bool:
    """Counts a request for a new password from this network address; True when there were too many lately."""
    return _counted("asked", ip_address) > _ADDRESS_REQUESTS


def _counted(kind: str, ip_address: str) -> int:
    key = _key(kind, ip_address)
    try:
        with redis_connection().pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, _ADDRESS_SECONDS, nx=True)
            count, _ = pipe.execute()
    except redis.RedisError:
        return 0  # the accounts' own locks are in the database
    return int(count)


def _key(kind: str, value: str) -> str:
    return f"zahlwerk:login:{kind}:{vault.blind_index(value, 'login').hex()[:32]}"
