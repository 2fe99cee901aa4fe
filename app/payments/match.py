"""Which operation or authorisation of ours a provider's fact is about, and whether it came before its time."""

from uuid import UUID

from sqlalchemy import Connection, select

from app.connectors.kinds import News, Outcome
from app.core.errors import NotFound
from app.core.ids import parse_id
from app.payments.queries import AUTHORISATIONS, OPERATIONS, Held, held_authorisation, held_operation

_KIND = {"dispute": "chargeback"}


def match(connection: Connection, contract_id: UUID, news: News) -> Held | None:
    """By our key, by the operation's reference, or by the authorisation's (then without an operation).

    An authorisation's own reference says more than the key: PayPal gives a renewal the key of the first one.
    """
    if news.kind == "authorise" and (found := _by_reference(connection, contract_id, news)):
        return found
    if news.operation_key:
        try:
            return _or_its_renewal(connection, held_operation(connection, parse_id("op", news.operation_key)), news)
        except NotFound:
            pass  # a key that is not ours, or another merchant's: look on
    if found := _by_reference(connection, contract_id, news):
        return found
    reference = news.authorisation_reference or (news.provider_reference if news.kind == "authorise" else None)
    return _by_authorisation(connection, contract_id, reference) if reference else None


def _by_reference(connection: Connection, contract_id: UUID, news: News) -> Held | None:
    if not news.provider_reference or news.dispute is not None:
        return None
    found = connection.execute(
        select(OPERATIONS.c.id).where(
            OPERATIONS.c.contract_id == contract_id,
            OPERATIONS.c.provider_reference == news.provider_reference,
            OPERATIONS.c.kind == _KIND.get(news.kind, news.kind),
        )
    ).scalar()
    return held_operation(connection, found) if found is not None else None


def _or_its_renewal(connection: Connection, held: Held, news: News) -> Held:
    """The renewal of an authorisation that has succeeded long ago, if the fact names another authorisation than it."""
    reference, operation = news.provider_reference, held.operation
    if news.kind != "authorise" or operation["kind"] != "authorise" or operation["state"] != "succeeded":
        return held
    if reference is None or reference == held.authorisation["provider_reference"]:
        return held
    renewal = connection.execute(
        select(OPERATIONS.c.id)
        .join(AUTHORISATIONS, AUTHORISATIONS.c.id == OPERATIONS.c.authorisation_id)
        .where(
            AUTHORISATIONS.c.payment_id == held.payment["id"],
            AUTHORISATIONS.c.contract_id == held.contract["id"],
            AUTHORISATIONS.c.replaces_id.is_not(None),
            OPERATIONS.c.kind == "authorise",
            OPERATIONS.c.state != "succeeded",
        )
        .order_by(OPERATIONS.c.id.desc())
    ).scalar()
    return held_operation(connection, renewal) if renewal is not None else held


def _by_authorisation(connection: Connection, contract_id: UUID, reference: str) -> Held | None:
    authorisation = connection.execute(
        select(AUTHORISATIONS.c.id).where(
            AUTHORISATIONS.c.contract_id == contract_id, AUTHORISATIONS.c.provider_reference == reference
        )
    ).scalar()
    if authorisation is None:  # disputes may name the capture instead
        authorisation = connection.execute(
            select(OPERATIONS.c.authorisation_id).where(
                OPERATIONS.c.contract_id == contract_id, OPERATIONS.c.provider_reference == reference
            )
        ).scalar()
    return held_authorisation(connection, authorisation) if authorisation is not None else None


def is_early(connection: Connection, held: Held, news: News) -> bool:
    """Did it overtake what it belongs to? Then it is read again when that is known.

    A cancellation may come before the yes that it takes back. A capture or refund without our key is perhaps our own
    one, whose answer (and with it the provider's reference) we have not heard yet.
    """
    if held.operation or news.dispute is not None:
        return False
    if news.kind == "cancel" or news.released:
        return held.authorisation["authorised"] == 0
    return news.kind in ("capture", "refund") and _one_of_ours_is_unheard(connection, held, news)


def _one_of_ours_is_unheard(connection: Connection, held: Held, news: News) -> bool:
    unheard = select(OPERATIONS.c.id).where(
        OPERATIONS.c.authorisation_id == held.authorisation["id"],
        OPERATIONS.c.kind == news.kind,
        OPERATIONS.c.state.in_(("submitted", "unknown")),
        OPERATIONS.c.provider_reference.is_(None),
    )
    if news.amount is not None:
        unheard = unheard.where(OPERATIONS.c.amount == news.amount)
    return connection.execute(unheard.limit(1)).first() is not None


def or_our_cancellation(connection: Connection, held: Held, news: News) -> Held:
    """Our own cancellation of this authorisation, if one is under way: whatever let it go, there is only one.

    What was tried elsewhere and refused says nothing about ours.
    """
    ours = (
        select(OPERATIONS.c.id)
        .where(
            OPERATIONS.c.authorisation_id == held.authorisation["id"],
            OPERATIONS.c.kind == "cancel",
            OPERATIONS.c.state.in_(("submitted", "pending", "unknown")),
        )
        .order_by(OPERATIONS.c.id)
    )
    if news.amount is not None:
        ours = ours.where(OPERATIONS.c.amount <= news.amount)
    foreign = not held.operation and news.outcome is Outcome.APPROVED
    found = connection.execute(ours).scalar() if foreign else None
    return held_operation(connection, found) if found is not None else held
