"""The block list: whom and what nobody may pay with at this merchant. Entries are keyed hashes with a hint to tell them
apart; what was typed is not kept."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from app.core.clock import now
from app.core.db import table_of
from app.core.errors import Conflict, NotFound, Refusal
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.risk.checks.block_list import fingerprint
from app.risk.models import BlockEntry
from app.staff.add import BadEmail, checked_email

ENTRIES = table_of(BlockEntry)
KINDS = ("email", "card", "ip")


class BadAddress(Refusal):
    code = "bad_ip_address"
    message = N_("This is not an IP address.")
    advice = N_("Type one address like 192.0.2.7 or 2001:db8::7; ranges cannot be blocked.")


class AlreadyBlocked(Conflict):
    code = "already_blocked"
    message = N_("%(hint)s is on the block list already.")


@dataclass(frozen=True, slots=True)
class Blocked:
    """What is to be blocked. `hint`: what a person recognises it by, and nobody can use."""

    kind: str
    fingerprint: bytes = field(repr=False)
    hint: str


def email(typed: str) -> Blocked:
    """Raises BadEmail."""
    try:
        address = checked_email(typed)
    except BadEmail as refusal:
        refusal.param = "value"
        raise
    name, _, domain = address.rpartition("@")
    return Blocked("email", fingerprint("email", address), f"{name[0]}…@{domain}")


def ip(typed: str) -> Blocked:
    """One address. Raises BadAddress."""
    try:
        address = ipaddress.ip_address(typed.strip())
    except ValueError:
        raise BadAddress(param="value") from None
    text = address.compressed
    sign = "." if address.version == 4 else ":"
    return Blocked("ip", fingerprint("ip", text), f"{text.rpartition(sign)[0]}{sign}…")


def card(print_: bytes, hint: str) -> Blocked:
    """`print_`: the keyed hash that stands at an attempt to pay with it."""
    return Blocked("card", print_, hint)


def block(connection: Connection, *, merchant_id: UUID, live: bool, blocked: Blocked, reason: str, actor: str) -> UUID:
    """From the next payment on. Raises AlreadyBlocked."""
    entry_id = connection.execute(
        insert(ENTRIES)
        .values(
            id=uuid7(),
            merchant_id=merchant_id,
            live=live,
            kind=blocked.kind,
            fingerprint=blocked.fingerprint,
            hint=blocked.hint,
            reason=reason,
            created_at=now(),
        )
        .on_conflict_do_nothing()
        .returning(ENTRIES.c.id)
    ).scalar()
    if entry_id is None:
        raise AlreadyBlocked(hint=blocked.hint, param="value")
    after = {"kind": blocked.kind, "hint": blocked.hint, "reason": reason}
    _told("block_entry.added", entry_id, merchant_id, live, actor, before=None, after=after)
    return entry_id


def unblock(connection: Connection, *, entry_id: UUID, reason: str, actor: str) -> None:
    """`reason`: why it may pay again. Raises NotFound."""
    row = read(connection, entry_id, lock=True)
    connection.execute(delete(ENTRIES).where(ENTRIES.c.id == entry_id))
    before = {name: row[name] for name in ("kind", "hint", "reason")} | {"since": row["created_at"]}
    where = (entry_id, row["merchant_id"], row["live"], actor)
    _told("block_entry.removed", *where, before=before, after=None, reason=reason)


def read(connection: Connection, entry_id: UUID, *, lock: bool = False) -> Mapping[str, Any]:
    """Raises NotFound."""
    query = select(ENTRIES).where(ENTRIES.c.id == entry_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise NotFound()
    return dict(row)


def _told(name: str, entry_id: UUID, merchant_id: UUID, live: bool, actor: str, **data: Any) -> None:
    tell(
        name,
        subject=("block_entry", entry_id),
        merchant_id=merchant_id,
        live=live,
        audience="staff",
        data={"block_entry": public_id("blk", entry_id), **data},
        actor=actor,
    )
