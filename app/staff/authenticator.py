"""An authenticator app (TOTP, RFC 6238): six digits every 30 seconds, each of which works once."""

from uuid import UUID

from passlib.totp import TOTP, TokenError, UsedTokenError
from sqlalchemy import Connection, update

from app.core import vault
from app.core.clock import now
from app.core.errors import Refusal
from app.core.texts import N_
from app.staff.second_factor import FACTORS, keep_one, locked
from app.staff.telling import tell_of

CONTEXT = "staff_second_factors.totp_sealed"
_WINDOW_SECONDS = 30  # clocks of phones are off by one code at most
_TOTP = TOTP.using(issuer="Zahlwerk", now=lambda: now().timestamp())


class WrongCode(Refusal):
    code = "wrong_code"
    message = N_("This code is not right.")
    advice = N_("Type the six digits that the app shows just now.")


class UsedCode(Refusal):
    code = "used_code"
    message = N_("This code was used already.")
    advice = N_("Wait until the app shows the next one.")


def new_secret() -> str:
    """160 random bits in base32, as apps take it."""
    return _TOTP(new=True).base32_key


def address(secret: str, email: str) -> str:
    """`otpauth://…`, for the QR code."""
    return _TOTP(key=secret).to_uri(label=email)


def set_up(connection: Connection, user_id: UUID, secret: str, code: str) -> None:
    """From now on the log-in asks for a code; the first one proves that the app has the secret.

    Raises WrongCode. An app that was set up before is replaced.
    """
    row = locked(connection, user_id)
    counter = _matched(secret, code, None)
    values = {"totp_sealed": vault.seal(secret.encode(), CONTEXT), "totp_counter": counter, "totp_since": now()}
    connection.execute(update(FACTORS).where(FACTORS.c.user_id == user_id).values(values))
    tell_of("staff.totp_added", user_id, data={"replaced": row["totp_sealed"] is not None})


def use(connection: Connection, user_id: UUID, code: str) -> None:
    """Spends a code. Raises WrongCode, UsedCode."""
    row = locked(connection, user_id)
    if row["totp_sealed"] is None:
        raise WrongCode(param="code")
    counter = _matched(vault.unseal(row["totp_sealed"], CONTEXT).decode(), code, row["totp_counter"])
    connection.execute(update(FACTORS).where(FACTORS.c.user_id == user_id).values(totp_counter=counter))


def remove(connection: Connection, user_id: UUID, *, needs: bool) -> None:
    """`needs`: a role of the user asks for a second factor. Raises LastFactor."""
    row = locked(connection, user_id)
    if row["totp_sealed"] is None:
        return
    values = {"totp_sealed": None, "totp_counter": None, "totp_since": None}
    connection.execute(update(FACTORS).where(FACTORS.c.user_id == user_id).values(values))
    keep_one(connection, user_id, needs)
    tell_of("staff.totp_removed", user_id)


def _matched(secret: str, code: str, last: int | None) -> int:
    """The counter of the code. Raises UsedCode for the last one used, WrongCode for everything older too."""
    digits = "".join(sign for sign in code if sign.isdigit())
    try:
        found = _TOTP.verify(digits, {"type": "totp", "v": 1, "key": secret}, window=_WINDOW_SECONDS, last_counter=last)
    except UsedTokenError:
        raise UsedCode(param="code") from None
    except TokenError:
        raise WrongCode(param="code") from None
    return found.counter
