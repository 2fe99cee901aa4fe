"""What a batch would do, before it does anything: sums, what is left out and why, what needs somebody else's yes."""

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy import Connection, select

from admin import four_eyes, payment_list
from admin.here import here
from admin.listing import Filters
from app.approvals.approvers import approvers
from app.approvals.ask import draft, reasons
from app.batches.start import MOST, Line, TooMany
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id, public_id
from app.core.money import LARGEST_MINOR
from app.core.texts import N_
from app.merchants.models import Merchant
from app.payments import search
from app.payments.offers import Verb, offers
from app.payments.queries import PAYMENTS


class NotAsShown(Refusal):
    status = 400
    code = "form_not_as_shown"
    message = N_("What was sent is not what a preview has shown.")
    advice = N_("Choose the payments again.")


@dataclass(frozen=True, slots=True)
class Preview:
    """`possible` and `left_out`: lines; `sums`: (currency, how many, minor units).

    `waiting`: how many need somebody else's approval; `stuck`: of those, how many nobody could approve.
    """

    possible: Sequence[Line]
    left_out: Sequence[Line]
    sums: Sequence[tuple[str, int, int]]
    waiting: int
    stuck: int

    @property
    def lines(self) -> list[Line]:
        return [*self.possible, *self.left_out]

    @property
    def packed(self) -> str:
        """What was shown, for the form: payments with their amounts."""
        return json.dumps([[public_id("pay", line.payment["id"]), line.amount] for line in self.lines])


def chosen(connection: Connection) -> list[UUID]:
    """The payments that the list's form names: those ticked, or all of its filter. Raises TooMany, NotUnderstood."""
    if "every" not in request.args:
        return _ids(request.args.getlist("payment"))
    chips = payment_list.chips()
    Filters(*chips.values()).refuse_wrong()
    page = search.listed(
        connection, payment_list.wanted(chips, here().live), limit=MOST, columns=[PAYMENTS.c.id, PAYMENTS.c.merchant_id]
    )
    if page.has_next:
        raise TooMany()
    return [row["id"] for row in page.rows]


def preview(connection: Connection, verb: Verb, payments: Sequence[UUID]) -> Preview:
    """Of those that whoever asks may see. Raises TooMany."""
    if len(payments) > MOST:
        raise TooMany()
    lines = _lines(connection, verb, payments)
    possible = [line for line in lines if line.refused is None]
    counts, sums = Counter[str](), Counter[str]()
    for line in possible:
        counts[line.payment["currency"]] += 1
        sums[line.payment["currency"]] += line.amount
    waiting = _waiting(connection, verb, possible)
    return Preview(
        possible=possible,
        left_out=[line for line in lines if line.refused is not None],
        sums=[(currency, counts[currency], sums[currency]) for currency in sorted(counts)],
        waiting=len(waiting),
        stuck=_stuck(connection, verb, waiting),
    )


def as_shown(connection: Connection, verb: Verb, packed: str) -> list[Line]:
    """The lines of a form that was sent: with the amounts of its preview, whatever they are by now.

    Raises NotAsShown.
    """
    shown = _unpacked(packed)
    lines = _lines(connection, verb, list(shown))
    return [Line(line.payment, shown[line.payment["id"]], line.refused) for line in lines]


def _unpacked(packed: str) -> dict[UUID, int]:
    """The reverse of Preview.packed. Raises NotAsShown."""
    try:
        found = {parse_id("pay", key): amount for key, amount in json.loads(packed or "[]")}
    except (ValueError, TypeError, AttributeError, RecursionError, NotFound):
        raise NotAsShown() from None
    if not all(type(amount) is int and 0 <= amount <= LARGEST_MINOR for amount in found.values()):
        raise NotAsShown()
    return found


def _lines(connection: Connection, verb: Verb, payments: Sequence[UUID]) -> list[Line]:
    query = select(
        *(PAYMENTS.c[name] for name in ("id", "merchant_id", "live", "amount", "currency", "merchant_reference")),
        *(PAYMENTS.c[name] for name in ("method", "brand", "last4", "status")),
        *(PAYMENTS.c[name] for name in ("captured", "capture_pending", "cancelled", "cancel_pending")),  # for rules
        Merchant.name.label("merchant_name"),
    ).join(Merchant, Merchant.id == PAYMENTS.c.merchant_id)
    found = connection.execute(query.where(PAYMENTS.c.id.in_(payments), PAYMENTS.c.live == here().live)).mappings()
    rows: dict[UUID, Mapping[str, Any]] = {row["id"]: {**row} for row in found}
    offered = offers(connection, verb, list(rows))
    ordered = [rows[payment] for payment in dict.fromkeys(payments) if payment in rows]
    return [Line(row, offered[row["id"]].amount, offered[row["id"]].refused) for row in ordered]


def _waiting(connection: Connection, verb: Verb, lines: Sequence[Line]) -> list[Line]:
    """Those that a limit or a rule will hold, one after the other: each counts towards the day of the next."""
    me, today, found = four_eyes.asker(), defaultdict[str, Counter[UUID]](Counter), []
    for line in lines:
        payment = line.payment
        if not line.amount:
            continue  # an attempt that is closed moves nothing
        before = today[payment["currency"]]
        if reasons(connection, me, payment, verb, line.amount, before=before):
            found.append(line)
        before[payment["merchant_id"]] += line.amount
    return found


def _stuck(connection: Connection, verb: Verb, lines: Sequence[Line]) -> int:
    """Whoever may approve an amount may approve less: so of each merchant and currency those above some amount."""
    groups: defaultdict[tuple[UUID, str], list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.payment["merchant_id"], line.payment["currency"]].append(line)
    found = 0
    for group in groups.values():
        nobody = partial(_nobody, connection, verb, group[0].payment)
        found += len(group) - bisect_left(sorted(line.amount for line in group), True, key=nobody)
    return found


def _nobody(connection: Connection, verb: Verb, payment: Mapping[str, Any], amount: int) -> bool:
    return not approvers(connection, draft(four_eyes.asker(), payment, verb, amount))


def _ids(keys: Sequence[str]) -> list[UUID]:
    found = []
    for key in keys:
        try:
            found.append(parse_id("pay", key))
        except NotFound:
            continue  # an address that was made up
    return found
