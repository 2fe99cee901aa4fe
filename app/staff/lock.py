"""Lock-out with back-off: after five wrong passwords (or codes, or passkeys) an account waits, longer with every
further one.

An e-mail address that belongs to nobody is treated alike (counted in Redis), so that the answer does not
tell which addresses exist. Attempts from one network address are limited too.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import redis
from sqlalchemy import select, update

from app.core import vault
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.queue import connection as redis_connection
from app.staff.add import USERS
from app.staff.telling import tell_of

FREE_ATTEMPTS = 5
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


def locked_until(email: str) -> datetime | None:
    """Until when no password is tried for this address, or None. Asked before the password is looked at."""
    with reading(ALL) as connection:
        row = connection.execute(select(USERS.c.locked_until).where(USERS.c.email == email)).first()
    until = row.locked_until if row else _unknown_until(email)
    return until if until is not None and until > now() else None


def failed(user_id: UUID, step: str = "password") -> None:
    """Counts a wrong password of an existing account, or what else was wrong: totp, recovery, passkey."""
    with atomic(ALL) as connection:
        count = connection.execute(
            update(USERS)
            .where(USERS.c.id == user_id)
            .values(failed_logins=USERS.c.failed_logins + 1)
            .returning(USERS.c.failed_logins)
        ).scalar_one()
        wait = wait_after(count)
        if wait is not None:
            connection.execute(update(USERS).where(USERS.c.id == user_id).values(locked_until=now() + wait))
        told = "staff.login_failed" if wait is None else "staff.locked_out"
        tell_of(told, user_id, data={"failures": count, "step": step})


def failed_unknown(email: str) -> None:
    """Counts a wrong password for an address that belongs to nobody."""
    key = _key("unknown", email)
    try:
        with redis_connection().pipeline() as pipe:
            pipe.hincrby(key, "failures", 1)
            pipe.expire(key, int(LONGEST_WAIT.total_seconds()) * 2)
            count, _ = pipe.execute()
        wait = wait_after(int(count))
        if wait is not None:
            redis_connection().hset(key, "until", str((now() + wait).timestamp()))
    except redis.RedisError:
        pass  # without Redis an unknown address never locks; nothing can be got in with it


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


def _unknown_until(email: str) -> datetime | None:
    try:
        until = redis_connection().hget(_key("unknown", email), "until")
    except redis.RedisError:
        return None
    return datetime.fromtimestamp(float(until), tz=now().tzinfo) if until else None  # type: ignore[arg-type]


def _key(kind: str, value: str) -> str:
    return f"zahlwerk:login:{kind}:{vault.blind_index(value, 'login').hex()[:32]}"
