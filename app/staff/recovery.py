"""Recovery codes: ten of them, shown once, each works once in place of a second factor."""

import secrets
from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection, update

from app.core import vault
from app.core.clock import now
from app.core.errors import Refusal
from app.core.texts import N_
from app.staff.second_factor import FACTORS, locked
from app.staff.telling import tell_of

HOW_MANY = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike
_LENGTH = 12  # 59 bits


class WrongRecoveryCode(Refusal):
    code = "wrong_recovery_code"
    message = N_("This recovery code is not right, or it was used already.")


def make(connection: Connection, user_id: UUID) -> list[str]:
    """New codes; the old ones end. Returned in clear this once."""
    locked(connection, user_id)
    codes = ["".join(secrets.choice(_LETTERS) for _place in range(_LENGTH)) for _code in range(HOW_MANY)]
    values = {"recovery_hashes": [_hash(user_id, code) for code in codes], "recovery_since": now()}
    connection.execute(update(FACTORS).where(FACTORS.c.user_id == user_id).values(values))
    tell_of("staff.recovery_codes_made", user_id)
    return ["-".join(_fours(code)) for code in codes]


def use(connection: Connection, user_id: UUID, typed: str) -> int:
    """Spends a code and returns how many are left. Raises WrongRecoveryCode."""
    hashed = _hash(user_id, "".join(sign for sign in typed.lower() if sign.isalnum()))
    left = list(locked(connection, user_id)["recovery_hashes"])
    if hashed not in left:
        raise WrongRecoveryCode(param="recovery")
    left.remove(hashed)
    connection.execute(update(FACTORS).where(FACTORS.c.user_id == user_id).values(recovery_hashes=left))
    tell_of("staff.recovery_code_used", user_id, data={"left": len(left)})
    return len(left)


def _hash(user_id: UUID, code: str) -> bytes:
    """Codes are random, so a keyed fingerprint hides them as well as a slow one would."""
    return vault.blind_index(f"{user_id} {code}", "recovery")


def _fours(code: str) -> Iterator[str]:
    return (code[place : place + 4] for place in range(0, len(code), 4))
