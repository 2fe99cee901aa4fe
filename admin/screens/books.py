"""The books: balances by account, and the proofs that they, the payments and the operations say the same."""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import BigInteger, func, select
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response as AnyResponse

from admin import formats
from admin.here import connection, here
from admin.office import url
from admin.screen import Entry, Screen, go, page, say
from admin.told import told
from app.core.db import ALL, db, reading, table_of
from app.core.runs import JobRun
from app.core.texts import N_
from app.figures.proofs import PROOFS
from app.ledger.accounts import ACCOUNTS
from app.ledger.models import Account, Line, Snapshot
from app.ledger.proof import prove
from app.merchants.models import Merchant

# What each proof says when it holds.
SAYS = {
    "entries_balance": N_("Every entry has at least two lines and sums to zero in each currency."),
    "snapshots_hold": N_("Each snapshot of a balance is the sum of the lines up to it."),
    "books_equal_payments": N_(
        "What a payment says was captured, refunded and charged back, or too much of it, is what was booked for it."
    ),
    "payments_equal_authorisations": N_("A payment's sums are the sums over its authorisations."),
    "authorised_once": N_("What is open of a payment's authorisations is no more than was asked for."),
    "operations_equal_authorisations": N_(
        "An authorisation's sums are those of its succeeded operations, and what is reserved is what is open of them."
    ),
    "over_is_what_is_over": N_("What was taken or given back too much is exactly what is named so."),
    "closed_hold_nothing": N_("Of an attempt that is over nothing is reserved any more that is not being given back."),
    "disputes_end_in_nothing": N_("Once all disputes about a payment are over, nothing of it is in dispute."),
    "money_figures_equal_operations": N_("The amounts on the dashboards are those of the operations, hour by hour."),
    "attempt_figures_equal_operations": N_("The attempts on the dashboards are those of the operations, hour by hour."),
    "daily_figures_equal_hourly": N_("A day on the dashboards is the sum of its hours."),
}


class Books(Screen):
    address = "books"
    entry = Entry("system", 20, N_("Books"), "book")

    @page("/", "job.read")
    def index(self) -> str:
        runs = table_of(JobRun)
        last = (
            connection()
            .execute(
                select(runs)
                .where(runs.c.name == "prove_books", runs.c.finished_at.is_not(None))
                .order_by(runs.c.slot.desc())
                .limit(1)
            )
            .mappings()
            .first()
        )
        proofs = [(proof.__name__, _(SAYS.get(proof.__name__, proof.__name__))) for proof in PROOFS]
        return self.show("books", title=_("Books"), balances=_balances(), proofs=proofs, last=last, accounts=ACCOUNTS)

    @page("/prove", "ledger.prove", ("POST",))
    def prove(self) -> AnyResponse:
        try:
            with reading(ALL) as work:
                broken = prove(work, PROOFS)
        except OperationalError:
            db.session().rollback()
            say(_("The proofs take too long for a page. The nightly job runs them; its result stands here."), "wait")
            return go(url("books.index"))
        told("books.proved", proofs=len(PROOFS), broken=sorted(broken))
        if broken:
            names = ", ".join(sorted(broken))
            say(_("These proofs do not hold: %(names)s. Nothing was changed; tell the developers.", names=names), "bad")
        else:
            say(_("All %(count)s proofs hold.", count=formats.number(len(PROOFS))))
        return go(url("books.index"))


def _balances() -> list[Any]:
    """Balance per merchant, account and currency: the last snapshot plus the lines since."""
    account, line, snapshot, merchant = (table_of(one) for one in (Account, Line, Snapshot, Merchant))
    newest = (
        select(snapshot.c.line_id, snapshot.c.balance)
        .where(snapshot.c.account_id == account.c.id)
        .order_by(snapshot.c.line_id.desc())
        .limit(1)
        .lateral("newest")
    )
    since = (
        select(func.sum(line.c.amount).cast(BigInteger).label("amount"))
        .where(line.c.account_id == account.c.id, line.c.id > func.coalesce(newest.c.line_id, 0))
        .lateral("since")
    )
    balance = func.coalesce(newest.c.balance, 0) + func.coalesce(since.c.amount, 0)
    query = (
        select(
            merchant.c.name.label("merchant_name"),
            account.c.code,
            account.c.currency,
            func.sum(balance).cast(BigInteger).label("balance"),
        )
        .select_from(account)
        .join(merchant, merchant.c.id == account.c.merchant_id)
        .join(newest, newest.c.balance.is_not(None), isouter=True)
        .join(since, since.c.amount.is_not(None), isouter=True)
        .where(account.c.live == here().live)
        .group_by(merchant.c.name, account.c.code, account.c.currency)
        .order_by(merchant.c.name, account.c.currency, account.c.code)
        .limit(400)
    )
    return list(connection().execute(query).mappings().all())


SCREEN = Books

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import books as _me

    _check: ScreenModule = _me
