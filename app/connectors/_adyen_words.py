"""Adyen's words in ours: amounts, results, refusals, errors, disputes.

Sources: docs.adyen.com/development-resources/currency-codes ("differs from standard"), /refusal-reasons,
/online-payments/payment-result-codes; CheckoutService-v72.json and Webhooks-v1.json of Adyen/adyen-openapi.
"""

from collections.abc import Mapping
from types import MappingProxyType

from app.connectors._reading import text, whole
from app.connectors._talk import AmountNotWritable
from app.connectors.kinds import DeclineCode, DisputeTurn, NewsKind, Outcome
from app.core.money import EXPONENTS, exponent

# Adyen's exponent where it differs from ISO 4217.
_EXPONENTS = MappingProxyType({"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2})


def to_wire(minor: int, currency: str) -> int:
    """Our minor units -> Adyen's: 1999 EUR -> 1999, 5 ISK -> 500. Raises AmountNotWritable (IDR 5.50)."""
    shift = _EXPONENTS.get(currency, exponent(currency)) - exponent(currency)
    wire, lost = (minor * 10**shift, 0) if shift >= 0 else divmod(minor, 10**-shift)
    if lost:
        raise AmountNotWritable(f"{minor} {currency}")
    return wire


def amount_of(found: Mapping[str, object]) -> tuple[int | None, str | None]:
    """{"value": 500, "currency": "ISK"} -> 5, "ISK"; None for what is not there."""
    currency, wire = text(found.get("currency")), whole(found.get("value"))
    if currency not in EXPONENTS or wire is None:
        return None, currency
    shift = exponent(currency) - _EXPONENTS.get(currency, exponent(currency))
    return (wire * 10**shift if shift >= 0 else wire // 10**-shift), currency


# `resultCode`. What belongs to flows we never ask for (native 3-D Secure, vouchers) is not here.
RESULTS: Mapping[str, Outcome] = MappingProxyType(
    {
        "Authorised": Outcome.APPROVED,
        "PartiallyAuthorised": Outcome.APPROVED,
        "Pending": Outcome.PENDING,
        "Received": Outcome.PENDING,
        "RedirectShopper": Outcome.ACTION,
        "Refused": Outcome.DECLINED,
        "Cancelled": Outcome.DECLINED,
        "Error": Outcome.DECLINED,  # a no only with a reason we know
    }
)

# `refusalReasonCode`, and the text that notifications carry instead.
_REASONS = (
    ("2", "Refused", DeclineCode.DO_NOT_HONOUR),
    ("3", "Referral", DeclineCode.DO_NOT_HONOUR),
    ("4", "Acquirer Error", DeclineCode.PROVIDER_DECLINED),
    ("5", "Blocked Card", DeclineCode.LOST_OR_STOLEN),
    ("6", "Expired Card", DeclineCode.EXPIRED_CARD),
    ("7", "Invalid Amount", DeclineCode.AMOUNT_NOT_ALLOWED),
    ("8", "Invalid Card Number", DeclineCode.WRONG_NUMBER),
    ("9", "Issuer Unavailable", DeclineCode.PROVIDER_DECLINED),
    ("10", "Not supported", DeclineCode.NOT_PERMITTED),
    ("11", "3D Not Authenticated", DeclineCode.AUTHENTICATION_FAILED),
    ("12", "Not enough balance", DeclineCode.INSUFFICIENT_FUNDS),
    ("14", "Acquirer Fraud", DeclineCode.SUSPECTED_FRAUD),
    ("15", "Cancelled", DeclineCode.PAYER_CANCELLED),
    ("16", "Shopper Cancelled", DeclineCode.PAYER_CANCELLED),
    ("17", "Invalid Pin", DeclineCode.PROVIDER_DECLINED),
    ("18", "Pin tries exceeded", DeclineCode.LIMIT_EXCEEDED),
    ("19", "Pin validation not possible", DeclineCode.PROVIDER_DECLINED),
    ("20", "FRAUD", DeclineCode.SUSPECTED_FRAUD),
    ("21", "Not Submitted", DeclineCode.PROVIDER_DECLINED),
    ("22", "FRAUD-CANCELLED", DeclineCode.SUSPECTED_FRAUD),
    ("23", "Transaction Not Permitted", DeclineCode.NOT_PERMITTED),
    ("24", "CVC Declined", DeclineCode.WRONG_SECURITY_CODE),
    ("25", "Restricted Card", DeclineCode.NOT_PERMITTED),
    ("26", "Revocation Of Auth", DeclineCode.NEVER_AGAIN),
    ("27", "Declined Non Generic", DeclineCode.PROVIDER_DECLINED),
    ("28", "Withdrawal amount exceeded", DeclineCode.LIMIT_EXCEEDED),
    ("29", "Withdrawal count exceeded", DeclineCode.LIMIT_EXCEEDED),
    ("31", "Issuer Suspected Fraud", DeclineCode.SUSPECTED_FRAUD),
    ("32", "AVS Declined", DeclineCode.PROVIDER_DECLINED),
    ("33", "Card requires online pin", DeclineCode.AUTHENTICATION_REQUIRED),
    ("34", "No checking account available on Card", DeclineCode.NOT_PERMITTED),
    ("35", "No savings account available on Card", DeclineCode.NOT_PERMITTED),
    ("36", "Mobile pin required", DeclineCode.AUTHENTICATION_REQUIRED),
    ("37", "Contactless fallback", DeclineCode.PROVIDER_DECLINED),
    ("38", "Authentication required", DeclineCode.AUTHENTICATION_REQUIRED),
    ("39", "RReq not received from DS", DeclineCode.AUTHENTICATION_FAILED),
    ("40", "Current AID is in Penalty Box", DeclineCode.PROVIDER_DECLINED),
    ("41", "CVM Required Restart Payment", DeclineCode.AUTHENTICATION_REQUIRED),
    ("42", "3DS Authentication Error", DeclineCode.AUTHENTICATION_FAILED),
    ("43", "Online PIN required", DeclineCode.AUTHENTICATION_REQUIRED),
    ("44", "Try another interface", DeclineCode.PROVIDER_DECLINED),
    ("45", "Chip downgrade mode", DeclineCode.PROVIDER_DECLINED),
    ("46", "Transaction blocked by Adyen to prevent excessive retry fees", DeclineCode.NEVER_AGAIN),
    ("50", "Token Revoked", DeclineCode.NEVER_AGAIN),
)
REFUSALS: Mapping[str, DeclineCode] = MappingProxyType(
    {word.lower(): code for number, name, code in _REASONS for word in (number, name)}
)

# `errorCode` of an error that is a clear no. Others count by their `errorType`.
ERRORS: Mapping[str, DeclineCode] = MappingProxyType(
    {
        "000": DeclineCode.CONFIGURATION,
        "010": DeclineCode.CONFIGURATION,
        "901": DeclineCode.CONFIGURATION,
        "905": DeclineCode.CONFIGURATION,
        "905_1": DeclineCode.CONFIGURATION,
        "100": DeclineCode.AMOUNT_NOT_ALLOWED,
        "137": DeclineCode.AMOUNT_NOT_ALLOWED,
        "138": DeclineCode.CURRENCY_NOT_SUPPORTED,
        "101": DeclineCode.WRONG_NUMBER,
        "102": DeclineCode.WRONG_NUMBER,
        "103": DeclineCode.WRONG_SECURITY_CODE,
        "129": DeclineCode.EXPIRED_CARD,
        "140": DeclineCode.EXPIRED_CARD,
        "141": DeclineCode.EXPIRED_CARD,
        "167": DeclineCode.PROVIDER_DECLINED,  # "Original pspReference required for this operation"
        "800": DeclineCode.ACCOUNT_CLOSED,
        "803": DeclineCode.ACCOUNT_CLOSED,
    }
)
REFUSED_AS_SENT = frozenset({"validation", "security", "configuration"})  # `errorType`: never carried out
IN_DOUBT = frozenset({"704"})  # "request already processed or in progress"

BRANDS: Mapping[str, str] = MappingProxyType({"mc": "mastercard", "cup": "unionpay"})  # the others are as ours
FUNDING: Mapping[str, str] = MappingProxyType(
    {
        "CREDIT": "credit",
        "CHARGE": "credit",
        "DEFFERED_DEBIT": "credit",  # spelled like this in Adyen's specification
        "DEBIT": "debit",
        "PREPAID": "prepaid",
        "PREPAID_RELOADABLE": "prepaid",
        "PREPAID_NONRELOADABLE": "prepaid",
    }
)

# Notifications about payments and their modifications: kind, and what success=true means.
MOVES: Mapping[str, tuple[NewsKind, Outcome]] = MappingProxyType(
    {
        "AUTHORISATION": ("authorise", Outcome.APPROVED),
        "CAPTURE": ("capture", Outcome.APPROVED),
        "CAPTURE_FAILED": ("capture", Outcome.DECLINED),
        "REFUND": ("refund", Outcome.APPROVED),
        "REFUND_WITH_DATA": ("refund", Outcome.APPROVED),
        "REFUND_FAILED": ("refund", Outcome.DECLINED),
        "REFUNDED_REVERSED": ("refund", Outcome.DECLINED),
        "CANCELLATION": ("cancel", Outcome.APPROVED),
        "TECHNICAL_CANCEL": ("cancel", Outcome.APPROVED),
        "EXPIRE": ("cancel", Outcome.APPROVED),
    }
)

# A second chargeback takes the money again after a reversal; what only reports progress is not here.
DISPUTES: Mapping[str, DisputeTurn] = MappingProxyType(
    {
        "REQUEST_FOR_INFORMATION": "inquiry",
        "NOTIFICATION_OF_CHARGEBACK": "inquiry",
        "PREARBITRATION_OPEN": "inquiry",
        "CHARGEBACK": "charged_back",
        "SECOND_CHARGEBACK": "charged_back",
        "CHARGEBACK_REVERSED": "reversed",
        "PREARBITRATION_WON": "reversed",
        "PREARBITRATION_ISSUER_WITHDRAWN": "reversed",
        "SCHEME_ARBITRATION_WON": "reversed",
        "PREARBITRATION_LOST": "lost",
        "PREARBITRATION_ACCEPTED": "lost",
        "SCHEME_ARBITRATION_LOST": "lost",
    }
)
DEFENCE_OVER = "DISPUTE_DEFENSE_PERIOD_ENDED"
LOST_STATES = frozenset({"Undefended", "Accepted", "Lost"})  # `disputeStatus` with which it is a loss

# Known, and telling us nothing to book.
SILENT = frozenset(
    {
        "INFORMATION_SUPPLIED",
        "ISSUER_COMMENTS",
        "ISSUER_RESPONSE_TIMEFRAME_EXPIRED",
        "NOTIFICATION_OF_FRAUD",
        "PREARBITRATION_DECLINED",
        "SCHEME_ARBITRATION",
        "AUTHORISATION_ADJUSTMENT",
        "RECURRING_CONTRACT",
        "REPORT_AVAILABLE",
        "OFFER_CLOSED",
        "ORDER_OPENED",
        "ORDER_CLOSED",
        "POSTPONED_REFUND",
        "MANUAL_REVIEW_ACCEPT",
        "MANUAL_REVIEW_REJECT",
    }
)

# Reason codes of the schemes (Visa dispute conditions, Mastercard chargeback reasons) in Stripe's words, which
# say the same things for every scheme.
_DISPUTE_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "12.6": "duplicate",
        "13.1": "product_not_received",
        "13.2": "subscription_canceled",
        "13.3": "product_unacceptable",
        "13.4": "product_unacceptable",
        "13.5": "product_unacceptable",
        "13.6": "credit_not_processed",
        "13.7": "credit_not_processed",
        "4837": "fraudulent",
        "4863": "unrecognized",
        "4870": "fraudulent",
        "4871": "fraudulent",
        "4834": "duplicate",
        "4853": "product_unacceptable",
        "4855": "product_not_received",
        "4860": "credit_not_processed",
    }
)


def dispute_reason(code: str | None, said: str | None) -> str:
    """Our word for a scheme's reason code ("10.4", "4837"), else what Adyen said."""
    known = (code or "").strip()
    if known.startswith("10."):
        return "fraudulent"
    return _DISPUTE_REASONS.get(known) or said or known or "general"
