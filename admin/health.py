"""The health of what the product stands on: database, Redis, mail server, providers. From what is written down
already: nothing is called while a page waits."""

import time
from dataclasses import dataclass
from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import text

from admin import words
from admin.here import connection
from admin.words import Word
from app.connectors import CONNECTORS
from app.core.clock import now
from app.core.http import open_circuits
from app.payments.search import first_id_at

_SLOW_MS = 50
_MAIL_WAITS = timedelta(minutes=10)
_LATELY = timedelta(hours=1)
_MANY = 0.2  # of the calls of a provider: without an answer, or not even sent

_MAILS = text("SELECT count(*) FROM mails WHERE state = 'pending' AND due_at < :overdue")
_PROVIDERS = text(
    "SELECT c.provider, count(*) AS calls, count(*) FILTER (WHERE o.state IN ('unknown', 'failed')) AS broken"
    " FROM operations o JOIN authorisations a ON a.id = o.authorisation_id JOIN contracts c ON c.id = a.contract_id"
    " WHERE o.id >= :since AND o.state NOT IN ('created', 'pending_approval') GROUP BY c.provider ORDER BY c.provider"
)


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    word: Word
    said: str


def parts(*, reachable: bool) -> list[Part]:
    """`reachable`: whether Redis is."""
    found = [_database(), Part("Redis", words.WELL if reachable else words.BROKEN, ""), _mail()]
    found += _providers()
    for host in open_circuits():
        found.append(Part(host, words.BROKEN, _("Too many calls in a row failed; it is tried again now and then.")))
    return found


def _database() -> Part:
    begun = time.monotonic()
    connection().execute(text("SELECT 1"))
    took = round(1000 * (time.monotonic() - begun), 1)
    return Part(_("Database"), words.WELL if took < _SLOW_MS else words.LATE, _("answers in %(took)s ms", took=took))


def _mail() -> Part:
    waiting = connection().execute(_MAILS, {"overdue": now() - _MAIL_WAITS}).scalar_one()
    said = ngettext(
        "%(num)s mail waits for more than ten minutes", "%(num)s mails wait for more than ten minutes", waiting
    )
    return Part(_("Mail server"), words.LATE if waiting else words.WELL, said if waiting else "")


def _providers() -> list[Part]:
    """Those with something to do in the last hour."""
    rows = connection().execute(_PROVIDERS, {"since": first_id_at(now() - _LATELY)}).mappings()
    return [
        Part(
            CONNECTORS[row["provider"]].LABEL if row["provider"] in CONNECTORS else row["provider"],
            words.BROKEN if row["broken"] > _MANY * row["calls"] else words.WELL,
            _("%(broken)s of %(calls)s in the last hour without an answer or not sent", **row),
        )
        for row in rows
    ]
