"""The columns an export can have: what they are called, and what stands in them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.support import NullTranslations, Translations

from app.core.cells import Cell
from app.core.ids import public_id
from app.core.money import exponent
from app.core.texts import N_
from app.payments.words import STATUSES

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """The language and the clock of whoever asked."""

    language: str
    zone: ZoneInfo

    def said(self, english: str) -> str:
        return english if self.language == "en" else _catalogue(self.language).gettext(english)


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    cell: Callable[[Row, Words], Cell]
    personal: bool = False


def _plain(name: str) -> Callable[[Row, Words], Cell]:
    return lambda row, _words: row[name]


def _money(name: str) -> Callable[[Row, Words], Cell]:
    return lambda row, _words: Decimal(row[name]).scaleb(-exponent(row["currency"]))


def _id(prefix: str, name: str) -> Callable[[Row, Words], Cell]:
    return lambda row, _words: public_id(prefix, row[name]) if row[name] else None


def _moment(name: str) -> Callable[[Row, Words], Cell]:
    return lambda row, words: row[name].astimezone(words.zone)


# In the order of the file.
COLUMNS: dict[str, Column] = {
    "id": Column(N_("Payment"), _id("pay", "id")),
    "reference": Column(N_("Reference"), _plain("merchant_reference")),
    "status": Column(N_("Status"), lambda row, words: words.said(STATUSES[row["status"]])),
    "amount": Column(N_("Amount"), _money("amount")),
    "currency": Column(N_("Currency"), _plain("currency")),
    "authorised": Column(N_("Authorised"), _money("authorised")),
    "captured": Column(N_("Captured"), _money("captured")),
    "cancelled": Column(N_("Cancelled"), _money("cancelled")),
    "refunded": Column(N_("Refunded"), _money("refunded")),
    "charged_back": Column(N_("Charged back"), _money("charged_back")),
    "method": Column(N_("Method"), _plain("method")),
    "brand": Column(N_("Card brand"), _plain("brand")),
    "last4": Column(N_("Last four digits"), _plain("last4")),
    "merchant": Column(N_("Merchant"), _plain("merchant_name")),
    "shop": Column(N_("Shop"), _plain("shop_name")),
    "order_number": Column(N_("Order number"), _plain("order_number")),
    "customer_number": Column(N_("Customer number"), _plain("customer_number")),
    "customer": Column(N_("Customer"), _id("cus", "customer_id")),
    "description": Column(N_("Description"), _plain("description")),
    "payer_name": Column(N_("Payer"), _plain("payer_name"), personal=True),
    "payer_email": Column(N_("E-mail"), _plain("payer_email"), personal=True),
    "country": Column(N_("Country"), _plain("payer_country")),
    "started": Column(N_("Started"), _moment("created_at")),
    "changed": Column(N_("Last change"), _moment("updated_at")),
}


@cache
def _catalogue(language: str) -> NullTranslations:
    return Translations.load(Path(__file__).resolve().parents[2] / "translations", [language])
