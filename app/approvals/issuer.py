"""Nobody hands out a key that may do more than they: it would be theirs, without their limits and their name."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection

from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id
from app.core.limits import LIMITED, Allowances, Limit, Limits, is_within
from app.core.texts import N_
from app.staff.access import Staff
from app.staff.snapshot import snapshot

# A key's permission -> what its issuer needs for it. What staff do not do themselves (creating payments, checkouts,
# customers) moves nobody's money and needs nothing but the right to issue keys.
_NEEDS = {
    **{name: name for name in ("payment.read", *LIMITED, "dispute.read", "dispute.evidence", "event.read")},
    "customer.read": "customer.read_personal",
    "webhook.read": "merchant.read",
    "webhook.write": "endpoint.write",
}


class MoreThanOwn(Refusal):
    kind = "permission"
    status = 403
    code = "more_than_own"
    message = N_("A key may do no more than whoever issues it: %(permission)s is not yours.")
    advice = N_("Leave it out, or have somebody issue the key who may do that.")


class AboveOwnLimits(Refusal):
    kind = "permission"
    status = 403
    code = "above_own_limits"
    message = N_("A key may move no more than whoever issues it: your limits for %(permission)s are lower.")
    advice = N_("Give the key limits within yours, or have somebody issue it who has higher ones.")


def refuse_more_than_own(
    connection: Connection, issuer: str, merchant_id: UUID, permissions: Collection[str], allowed: Limits
) -> None:
    """`issuer`: an actor; jobs and the command line have no limits. Raises MoreThanOwn, AboveOwnLimits."""
    kind, _, public = issuer.partition(":")
    if kind != "staff":
        return
    staff = snapshot(connection, parse_id("usr", public))
    if staff is None:
        raise NotFound()
    refuse_more_than(staff, merchant_id, permissions, allowed)


def refuse_more_than(staff: Staff, merchant_id: UUID, permissions: Collection[str], allowed: Limits) -> None:
    """Raises MoreThanOwn, AboveOwnLimits."""
    for permission in permissions:
        needed = _NEEDS.get(permission)
        if needed and not staff.may(needed, merchant_id):
            raise MoreThanOwn(permission=permission, param="permissions")
    for permission in sorted(set(permissions) & set(LIMITED)):
        if not _is_covered(staff, permission, merchant_id, allowed):
            raise AboveOwnLimits(permission=permission, param="limits")


def _is_covered(staff: Staff, permission: str, merchant_id: UUID, allowed: Limits) -> bool:
    """What is not named has no limit, in any currency; so has its issuer only with a grant that names none either."""
    named = allowed.get(permission)
    if not named:
        return _covers(staff.limits(permission, merchant_id, _NO_CURRENCY), Limit())
    return all(_covers(staff.limits(permission, merchant_id, currency), limit) for currency, limit in named.items())


_NO_CURRENCY = "XXX"  # ISO 4217: no currency; a grant with limits allows nothing in it


def _covers(own: Allowances, wanted: Limit) -> bool:
    return any(is_within(wanted, one.limit) for one in own)
