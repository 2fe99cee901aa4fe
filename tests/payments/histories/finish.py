"""The end of a history: everything comes to its end, and our operations equal the acquirers' journals, one to one."""

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.ids import public_id
from app.payments.fetch_details import fetch_details
from app.payments.queries import OPERATIONS
from tests.payments.histories.look import compare, compare_cards
from tests.payments.histories.model import Attempt
from tests.payments.histories.world import make_old

if TYPE_CHECKING:
    from tests.payments.histories.machine import Histories

ROUNDS = 8
WORDS = {"authorise": "authorised", "capture": "captured", "refund": "refunded", "cancel": "cancelled"}
BY_OURSELVES = ("expired", "renewed")  # what only lapsed has no line in a journal


def settle(history: "Histories") -> None:
    """Acquirers answer, every notification arrives, jobs run; then nothing is open any more."""
    for _ in range(ROUNDS):
        for number, acquirer in enumerate(history.business.acquirers):
            acquirer.pass_time(10)
            acquirer.later.run_now()
            for told in acquirer.told:
                if not told.deliveries or told.picture["news"] not in history.booked_news:
                    history.deliver(number, told)
        if history.waiting:
            history.the_payer_never_comes_back()
        for op in [op for op in history.model.ops if op.is_open]:
            if op.state == "pending_approval":
                history.decide(op, approved=False)
            elif op.is_open:
                make_old(op.id, timedelta(seconds=90))
                history.resolve(op)
        compare(history.seen, history.model)
        ask_for_details(history)
        busy = any(len(one.later) for one in history.business.acquirers)
        if not (busy or history.overtook() or any(op.is_open for op in history.model.ops)):
            compare_cards(history.seen, history.model)
            return
    raise AssertionError(f"still open: {[op for op in history.model.ops if op.is_open]}")


def ask_for_details(history: "Histories") -> None:
    """Now, and not after a pause."""
    of_history = (OPERATIONS.c.payment_id == history.payment_id, OPERATIONS.c.state == "succeeded")
    with atomic(ALL) as connection:
        wanted = OPERATIONS.update().where(*of_history, OPERATIONS.c.enquire_at.is_not(None))
        connection.execute(wanted.values(enquire_at=now()))
    fetch_details(1_000)
    history.changed()


def compare_journals(history: "Histories") -> None:
    """Nothing was charged twice, and nothing was lost.

    A chargeback that was overtaken by its reversal is not booked, so of disputes only what remains is compared; and
    what has lapsed with us can no more be cancelled in a portal, or released.
    """
    ours, theirs = _ours(history), _theirs(history)
    assert ours == theirs, (ours - theirs, theirs - ours)
    assert history.model.sums()["charged_back"] == _charged_back(history), "what disputes took"
    for attempt in history.model.attempts:
        if not _lapsed(history, attempt):
            assert _cancelled(history, attempt) == history.model.sums(attempt)["cancelled"], "what was let go"


def _lapsed(history: "Histories", attempt: Attempt) -> bool:
    """By time, or because a new authorisation took its place."""
    rows = [row for row in history.seen.operations if str(row["authorisation_id"]) == attempt.id]
    return any(row["code"] in BY_OURSELVES for row in rows)


def _cancelled(history: "Histories", attempt: Attempt) -> int:
    lines, reference = history.acquirer(attempt).money(), history.reference(attempt)
    own = [line for line in lines if line.get("authorisation") == reference]
    done = sum(line["amount"] for line in own if line["done"] == "cancelled")
    return done + sum(line.get("released", 0) for line in own)


def _ours(history: "Histories") -> Counter[Any]:
    found: Counter[Any] = Counter()
    attempts = {attempt.id: attempt for attempt in history.model.attempts}
    for row in history.seen.operations:
        if row["state"] != "succeeded" or _is_release(row):
            continue
        acquirer = history.acquirer(attempts[str(row["authorisation_id"])])
        if row["kind"] in WORDS:
            theirs = acquirer.book.operations[row["provider_reference"]]
            found[(WORDS[row["kind"]], theirs.key, row["booked_amount"])] += 1
            assert theirs.key.startswith("portal-") or theirs.key == public_id("op", row["id"])
    return found


def _theirs(history: "Histories") -> Counter[Any]:
    found: Counter[Any] = Counter()
    for acquirer in history.business.acquirers:
        for line in acquirer.money():
            portal = line["done"] == "cancelled" and line["key"].startswith("portal-")
            if line["done"] in WORDS.values() and not portal:
                found[(line["done"], line["key"], line["amount"])] += 1
    return found


def _charged_back(history: "Histories") -> int:
    signs = {"charged_back": 1, "reversed": -1}
    return sum(signs.get(line["done"], 0) * line["amount"] for a in history.business.acquirers for line in a.money())


def _is_release(row: dict[str, Any]) -> bool:
    """A rest that lapsed or was released, or that somebody let go in a portal: compared by its sum (_cancelled)."""
    return row["kind"] == "cancel" and (row["provider_reference"] is None or row["actor"].startswith("provider:"))
