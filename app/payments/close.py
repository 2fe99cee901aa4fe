"""`close()`: ends a payment with nothing reserved and nobody asked: its merchant cancels it, or its time is over."""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from app.core.clock import now
from app.core.events import tell
from app.core.ids import public_id
from app.core.states import move
from app.payments.checkout import CHECKOUTS
from app.payments.queries import PAYMENTS
from app.payments.states import CHECKOUT
from app.receivables import collect

How = Literal["cancelled", "expired"]
CLOSABLE = ("created", "failed")


def close(
    connection: Connection, payment: Mapping[str, Any], how: How, *, actor: str, reason: str = ""
) -> Mapping[str, Any]:
    """Closes a locked payment whose status is one of CLOSABLE, with its checkout; its debt is free for others. Returns
    its row. A yes that still comes to one of its attempts is given back by itself."""
    assert payment["status"] in CLOSABLE, payment["status"]
    changed = update(PAYMENTS).where(PAYMENTS.c.id == payment["id"])
    values = {"stage": how, "step": PAYMENTS.c.step + 1, "updated_at": now()}
    row = dict(connection.execute(changed.values(values).returning(PAYMENTS)).mappings().one())
    if how == "cancelled":
        _tell("payment.cancelled", row, reason, actor)
    else:
        _tell("payment.expired", row, reason, actor)
    close_checkout(connection, row, how, actor=actor)
    if row["receivable_id"] is not None:
        collect.release(connection, row["receivable_id"], row["id"])
    return row


def close_checkout(connection: Connection, payment: Mapping[str, Any], how: How, *, actor: str) -> None:
    """Nobody can pay any more what is closed."""
    if payment["source"] != "checkout":
        return
    query = select(CHECKOUTS).where(CHECKOUTS.c.payment_id == payment["id"], CHECKOUTS.c.state == "open")
    row = connection.execute(query.with_for_update()).mappings().first()
    if row is not None:
        data = {"checkout": public_id("chk", row["id"])}
        move(connection, CHECKOUT, CHECKOUTS, dict(row), how, data=data, actor=actor)


def _tell(name: str, row: Mapping[str, Any], reason: str, actor: str) -> None:
    sums = ("authorised", "captured", "cancelled", "refunded", "charged_back")
    tell(
        name,
        subject=("payment", row["id"]),
        step=row["step"],
        merchant_id=row["merchant_id"],
        live=row["live"],
        payment_id=row["id"],
        payment_step=row["step"],
        data={
            "payment": {
                "id": public_id("pay", row["id"]),
                **{name: row[name] for name in ("merchant_reference", "status", "amount", "currency", *sums)},
            },
            "reason": reason or None,
        },
        actor=actor,
    )
