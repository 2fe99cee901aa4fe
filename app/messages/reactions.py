"""What follows from told events. Later and in the order of the event log: deliveries and mails to merchants and payers.
At once: mails to the staff."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from app.approvals.actions import ACTIONS
from app.core import queue
from app.core.clock import now
from app.core.db import transaction
from app.core.reactions import later, single, together
from app.messages import (
    alarm_mail,
    approvable_endpoint,
    approvable_endpoint_change,
    approvable_endpoint_secret,
    approval_mail,
    mail,
    staff_mail,
)

# A new endpoint can be asked for, too, another address for one, and another secret.
ACTIONS.put("endpoint", approvable_endpoint)
ACTIONS.put("endpoint_change", approvable_endpoint_change)
ACTIONS.put("endpoint_secret", approvable_endpoint_secret)

# An endpoint hears of what happens after it was added, and never that it fails itself.
_DELIVERIES = text(
    """
    INSERT INTO deliveries (merchant_id, live, endpoint_id, event_id, payment_id, position, due_at, created_at)
    SELECT v.merchant_id, v.live, e.id, v.id, v.payment_id, l.position, :now, :now
    FROM event_log l
    JOIN events v ON v.id = l.event_id
    JOIN webhook_endpoints e ON e.merchant_id = v.merchant_id AND e.live = v.live AND e.active
         AND e.deleted_at IS NULL AND e.created_at <= v.happened_at AND e.id <> v.subject_id
    WHERE l.position > :after AND l.position <= :up_to AND v.audience = 'public'
      AND (e.events = '{}' OR v.name = ANY (e.events))
    ORDER BY l.position
    ON CONFLICT DO NOTHING
    """
)


@later("webhooks")
def queue_deliveries(connection: Connection, after: int, up_to: int) -> None:
    """One delivery per public event and endpoint that wants it."""
    if connection.execute(_DELIVERIES, {"after": after, "up_to": up_to, "now": now()}).rowcount:
        transaction().after_commit.append(lambda: queue.wake("deliver_webhooks"))


@later(mail.REACTION)
def queue_mails(connection: Connection, after: int, up_to: int) -> None:
    """One mail per event and recipient that wants it."""
    if mail.write(connection, after, up_to):
        transaction().after_commit.append(lambda: queue.wake("send_mails"))


@single(mail.REACTION)
def queue_mails_again(connection: Connection, event: Mapping[str, Any]) -> None:
    """The mails of one event that could not be written before."""
    if mail.write_one(connection, event["id"]):
        transaction().after_commit.append(lambda: queue.wake("send_mails"))


@together(*staff_mail.LETTERS, when=staff_mail.is_news)
def tell_staff(connection: Connection, event: Mapping[str, Any]) -> None:
    """Whoever asked for a link waits for it."""
    staff_mail.write(connection, event)
    transaction().after_commit.append(lambda: queue.wake("send_mails"))


@together("approval.requested", *approval_mail.ENDED)
def tell_approvers(connection: Connection, event: Mapping[str, Any]) -> None:
    approval_mail.write(connection, event)


@together(*alarm_mail.ALARMS)
def raise_alarm(connection: Connection, event: Mapping[str, Any]) -> None:
    alarm_mail.write(connection, event)
    transaction().after_commit.append(lambda: queue.wake("send_mails"))
