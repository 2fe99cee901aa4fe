"""Passkeys (WebAuthn): a log-in by themselves, since the device asks for a finger, a face or a PIN; or a second factor.

The challenge is signed and says when, for what and for whom it was made, so nothing has to be remembered for it; an
answer counts only if its challenge is younger than the passkey's last use, so no answer works twice.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from sqlalchemy import Connection, delete, insert, select, update
from webauthn.helpers import options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.config import settings
from app.core import vault
from app.core.clock import now
from app.core.errors import NotFound, Refusal
from app.core.texts import N_
from app.staff.add import USERS
from app.staff.second_factor import PASSKEYS, keep_one, locked
from app.staff.telling import tell_of

_PATIENCE = timedelta(minutes=5)
_MOST = 20
_REQUIRED = UserVerificationRequirement.REQUIRED


class PasskeyRefused(Refusal):
    code = "passkey_refused"
    message = N_("The passkey was not accepted.")
    advice = N_("Try again; if it fails once more, use another way.")


class TooManyPasskeys(Refusal):
    code = "too_many_passkeys"
    message = N_("There are too many passkeys on this account.")
    advice = N_("Remove one that you no longer use.")


def to_register(connection: Connection, user_id: UUID) -> str:
    """What the browser needs for a new passkey, as JSON."""
    user = connection.execute(select(USERS).where(USERS.c.id == user_id)).mappings().one()
    return options_to_json(
        webauthn.generate_registration_options(
            rp_id=_host(),
            rp_name="Zahlwerk",
            user_id=user["fs_webauthn_user_handle"].encode(),
            user_name=user["email"],
            user_display_name=user["name"] or user["email"],
            challenge=_challenge(f"register {user_id}"),
            exclude_credentials=_descriptors(connection, user_id),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_REQUIRED
            ),
        )
    )


def register(connection: Connection, user_id: UUID, name: str, answer: str) -> None:
    """Keeps a passkey under that name. Raises PasskeyRefused, TooManyPasskeys."""
    locked(connection, user_id)
    if len(_descriptors(connection, user_id)) >= _MOST:
        raise TooManyPasskeys()
    given, challenge, _made_at = _read(answer, f"register {user_id}")
    try:
        found = webauthn.verify_registration_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=_host(),
            expected_origin=settings().public_url,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise PasskeyRefused() from None
    if connection.execute(select(PASSKEYS.c.id).where(PASSKEYS.c.credential_id == found.credential_id)).first():
        raise PasskeyRefused()
    connection.execute(
        insert(PASSKEYS).values(
            user_id=user_id,
            credential_id=found.credential_id,
            public_key=found.credential_public_key,
            sign_count=found.sign_count,
            transports=[],
            backup_state=found.credential_backed_up,
            device_type=found.credential_device_type.value,
            lastuse_datetime=now(),
            name=name[:64],
            usage="first",
        )
    )
    tell_of("staff.passkey_added", user_id, data={"name": name[:64]})


def to_ask(connection: Connection | None = None, user_id: UUID | None = None) -> str:
    """What the browser needs to be asked for a passkey, as JSON: of that user, or of whoever has one."""
    known = _descriptors(connection, user_id) if connection is not None and user_id is not None else None
    return options_to_json(
        webauthn.generate_authentication_options(
            rp_id=_host(),
            challenge=_challenge(f"ask {user_id}"),
            allow_credentials=known,
            user_verification=_REQUIRED,
        )
    )


def owner(connection: Connection, answer: str) -> UUID:
    """Whose passkey answers, before it is believed. Raises PasskeyRefused."""
    row = connection.execute(select(PASSKEYS.c.user_id).where(PASSKEYS.c.credential_id == _id_in(answer))).first()
    if row is None:
        raise PasskeyRefused()
    return row.user_id


def use(connection: Connection, user_id: UUID, answer: str, *, asked: UUID | None) -> None:
    """The answer to what to_ask(…, asked) said is by a passkey of that user. Raises PasskeyRefused."""
    given, challenge, made_at = _read(answer, f"ask {asked}")
    query = select(PASSKEYS).where(PASSKEYS.c.credential_id == _id_in(answer), PASSKEYS.c.user_id == user_id)
    key = connection.execute(query.with_for_update()).mappings().first()
    if key is None or made_at <= key["lastuse_datetime"]:
        raise PasskeyRefused()
    try:
        found = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=_host(),
            expected_origin=settings().public_url,
            credential_public_key=key["public_key"],
            credential_current_sign_count=key["sign_count"] or 0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise PasskeyRefused() from None
    values = {"sign_count": found.new_sign_count, "lastuse_datetime": now(), "backup_state": found.credential_backed_up}
    connection.execute(update(PASSKEYS).where(PASSKEYS.c.id == key["id"]).values(values))


def remove(connection: Connection, user_id: UUID, passkey_id: int, *, needs: bool) -> None:
    """`needs`: a role of the user asks for a second factor. Raises NotFound, LastFactor."""
    locked(connection, user_id)
    gone = connection.execute(
        delete(PASSKEYS).where(PASSKEYS.c.id == passkey_id, PASSKEYS.c.user_id == user_id).returning(PASSKEYS.c.name)
    ).scalar()
    if gone is None:
        raise NotFound()
    keep_one(connection, user_id, needs)
    tell_of("staff.passkey_removed", user_id, data={"name": gone})


def _host() -> str:
    return urlsplit(settings().public_url).hostname or ""


def _descriptors(connection: Connection, user_id: UUID) -> list[PublicKeyCredentialDescriptor]:
    ids: Sequence[bytes] = (
        connection.execute(select(PASSKEYS.c.credential_id).where(PASSKEYS.c.user_id == user_id)).scalars().all()
    )
    return [PublicKeyCredentialDescriptor(id=one) for one in ids]


def _challenge(purpose: str) -> bytes:
    made = f"{int(now().timestamp() * 1000)}.{secrets.token_urlsafe(16)}"
    return f"{made}.{vault.page_signature('passkey', made, purpose)}".encode()


def _read(answer: str, purpose: str) -> tuple[dict[str, Any], bytes, datetime]:
    """The browser's answer, the challenge in it, which is ours and young, and when that was made."""
    try:
        given = json.loads(answer)
        told = json.loads(_bytes(given["response"]["clientDataJSON"]))
        challenge = _bytes(told["challenge"])
        moment, random, signature = challenge.decode().split(".")
        made_at = datetime.fromtimestamp(int(moment) / 1000, UTC)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise PasskeyRefused() from None
    expected = vault.page_signature("passkey", f"{moment}.{random}", purpose)
    if not secrets.compare_digest(signature.encode(), expected.encode()) or now() - made_at > _PATIENCE:
        raise PasskeyRefused()
    return given, challenge, made_at


def _id_in(answer: str) -> bytes:
    try:
        return _bytes(json.loads(answer)["rawId"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PasskeyRefused() from None


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None
