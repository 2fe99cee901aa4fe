"""What payers read: why a payment failed, amounts and times, names of cards."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_currency

from app.core.money import Money
from app.core.texts import N_

LOCALES = {"de": "de_DE", "en": "en_GB"}

_NOT_POSSIBLE = N_("This payment is not possible with this card or account. Please use another one.")
_OUR_FAULT = N_("This way to pay does not work at the moment. That is not your fault. Please choose another one.")

# operation.code -> one sentence that says why, and what helps. Nothing that could expose the payer or help a thief.
REASONS = {
    "insufficient_funds": N_("Not enough money is available for this payment at the moment."),
    "do_not_honour": N_("Your bank has declined the payment. It does not tell us why, but it will tell you."),
    "expired_card": N_("This card is no longer valid."),
    "wrong_number": N_("Your bank does not know this card number. Please check it."),
    "wrong_security_code": N_("The security code was not right. Please check it."),
    "lost_or_stolen": _NOT_POSSIBLE,
    "limit_exceeded": N_("This payment is above the limit of your card or account."),
    "suspected_fraud": _NOT_POSSIBLE,
    "not_permitted": _NOT_POSSIBLE,
    "authentication_required": N_("Your bank wants you to confirm the payment. Please try again and confirm it."),
    "authentication_failed": N_("The confirmation at your bank did not work. You can try it again."),
    "payer_cancelled": N_("You did not confirm the payment. You can try again or pay in another way."),
    "account_closed": _NOT_POSSIBLE,
    "currency_not_supported": N_("This card or account cannot pay in this currency. Please use another one."),
    "amount_not_allowed": N_("This amount is not possible with this card or account. Please use another one."),
    "already_done": N_("This attempt is over. Please try again."),
    "expired": N_("That took too long. Please try again."),
    "never_again": _NOT_POSSIBLE,
    "configuration": _OUR_FAULT,
    "provider_declined": N_("Your bank has declined the payment without a reason. Please use another card or account."),
    "never_arrived": N_("Your bank could not be reached. Please try again in a moment."),
    "not_sent": N_("Your bank could not be reached. Please try again in a moment."),
    "refused_by_risk_check": N_("We cannot take the payment in this way. Please choose another way to pay."),
    "cancelled": N_("This attempt is over. Please try again."),
}
OTHER_REASON = N_("The payment was declined. Please try another card or another way to pay.")

# Codes that a field of the form is to blame for, if it is one of the method's fields.
AT_FIELD = {"expired_card": "expiry", "wrong_number": "number", "wrong_security_code": "code"}

BRANDS = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "maestro": "Maestro",
    "diners": "Diners Club",
    "discover": "Discover",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}


def reason(code: str | None) -> str:
    """English sentence, for gettext."""
    return REASONS.get(code or "", OTHER_REASON)


def amount(minor: int, currency: str, language: str) -> str:
    written = format_currency(Money(minor, currency).decimal, currency, locale=LOCALES[language])
    return re.sub(r"(?<=[A-Z])(?=\d)", "\u00a0", written)  # KWD 1.500: a code needs the space that a sign does not


def moment(at: datetime, language: str, timezone: str) -> str:
    """21.11.2026, 14:05 or 21 Nov 2026, 14:05, where the merchant is."""
    local = at.astimezone(ZoneInfo(timezone))
    pattern = "dd.MM.yyyy, HH:mm" if language == "de" else "d MMM yyyy, HH:mm"
    return format_datetime(local, pattern, locale=LOCALES[language])


def card_of(paid: Mapping[str, Any]) -> str | None:
    """Visa •••• 4242; `paid` has brand and last4."""
    if not paid["last4"]:
        return None
    brand = BRANDS.get(paid["brand"] or "", (paid["brand"] or "").title())
    return f"{brand} •••• {paid['last4']}".strip()
