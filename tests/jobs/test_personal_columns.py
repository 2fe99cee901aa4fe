"""Every column that may say something of a person is in the table of jobs/forget.py, or it is said here why not."""

import re

import pytest
from sqlalchemy import Boolean, DateTime, Integer, Uuid

from app.core.db import db
from app.staff import models as staff_models  # Flask-Security's tables take part, whatever else was imported
from jobs.forget import KEPT

assert staff_models.User.__tablename__ in db.metadata.tables

# What a column is called when it may hold something personal.
_PERSONAL = re.compile(
    r"name|email|phone|address|(^|_)ip|holder|hint|note|body|reason|params|facts|fingerprint|description|filename"
    r"|query|device|sealed|data|answers|said|number|lines|last4|recipient|brand|filters|texts|password|secret|message"
)
_COUNTED = (Integer, Boolean, DateTime, Uuid)
_IDS = "an id, a code or a count: it names nobody"
_BUSINESS = "about the merchant's business, kept as long as the merchant is one of ours"
_WITH_ROW = "names nobody by itself, and what leads to somebody on the same row goes"
_EMPTY = "Flask-Security brings the column, and nothing here writes it"
_BOOKS = "ids, amounts and codes of the books, which are never removed"

REASONED = {
    "merchants.name": _BUSINESS,
    "merchants.email": _BUSINESS,
    "shops.name": _BUSINESS,
    "shops.texts": _BUSINESS,
    "shops.notify_email": _BUSINESS,
    "contracts.settings_sealed": _BUSINESS,
    "webhook_endpoints.description": _BUSINESS,
    "webhook_endpoints.secret_sealed": _BUSINESS,
    "webhook_endpoints.old_secret_sealed": _BUSINESS,
    "webhook_endpoints.disabled_reason": _IDS,
    "api_keys.name": _BUSINESS,
    "api_keys.hint": _BUSINESS,
    "staff_roles.name": _BUSINESS,
    "staff_roles.description": _BUSINESS,
    "staff_users.password": "a hash of what only they knew; who has left cannot log in with it",
    "staff_users.username": _EMPTY,
    "staff_users.tf_totp_secret": _EMPTY,
    "staff_users.tf_phone_number": _EMPTY,
    "staff_users.us_totp_secrets": _EMPTY,
    "staff_users.us_phone_number": _EMPTY,
    "staff_refresh_tracker.name": _EMPTY,
    "events.name": _BOOKS,
    "events.data": _BOOKS,
    "operations.reason": _BOOKS,
    "operations.lines": _BOOKS,
    "operations.message": "a provider's words for a refusal, in no case about the payer",
    "disputes.reason": _BOOKS,
    "block_entries.fingerprint": "a keyed hash that protects others from fraud until the merchant removes it",
    "risk_decisions.answers": "codes of the checks, without what was asked",
    "payments.description": _WITH_ROW,
    "payments.order_number": _WITH_ROW,
    "payments.order_lines": _WITH_ROW,
    "payments.brand": _WITH_ROW,
    "payments.last4": _WITH_ROW,
    "authorisations.brand": _WITH_ROW,
    "authorisations.last4": _WITH_ROW,
    "mails.name": _IDS,
    "mails.recipient_index": "a keyed hash, so that nobody gets too many mails",
}


def personal():
    for table in sorted(db.metadata.tables.values(), key=lambda table: table.name):
        for column in table.columns:
            if not isinstance(column.type, _COUNTED) and column.computed is None and _PERSONAL.search(column.name):
                yield f"{table.name}.{column.name}"


def is_kept(column):
    """A rule removes the row, or empties the column; what is erased with a customer is in app/customers/erase.py."""
    table, _dot, name = column.partition(".")
    if table == "customers":
        return any(kept.each is not None and "FROM customers" in kept.sql for kept in KEPT)
    deletes = re.compile(rf"DELETE FROM {table}\b")
    empties = re.compile(rf"UPDATE {table} SET [^;]*\b{name} = ")
    return any(deletes.search(kept.sql) or empties.search(kept.sql) for kept in KEPT)


@pytest.mark.parametrize("column", list(personal()))
def test_what_may_be_personal_goes_some_day_or_it_is_said_why_not(app, column):
    assert is_kept(column) or column in REASONED


def test_nothing_is_reasoned_away_that_is_not_there(app):
    assert set(REASONED) <= set(personal())
    assert not [column for column in REASONED if is_kept(column)]
