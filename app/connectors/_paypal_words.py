"""PayPal's words in ours: amounts, states and refusals.

Sources: openapi/checkout_orders_v2.json, payments_payment_v2.json, vault_payment_tokens_v3.json and
customer_disputes_v1.json of paypal/paypal-rest-api-specifications; currencies:
developer.paypal.com/api/rest/reference/currency-codes.
"""

import re
from collections.abc import Mapping
from typing import Any

from app.connectors.kinds import DeclineCode, DisputeTurn, Outcome
from app.core.money import BadAmount, from_decimal_text, to_decimal_text

# PayPal also takes BRL, CNY, INR and MYR, but only between accounts of that one country.
CURRENCIES = frozenset("AUD CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN NOK NZD PHP PLN SEK SGD THB TWD USD".split())
_DECIMAL = re.compile(r"-?\d+(\.\d+)?", re.ASCII)  # no exponent: 1e999999 is no amount
_LONGEST = 32  # PayPal's own limit for a value
_WHOLE = frozenset({"HUF", "JPY", "TWD"})  # PayPal refuses decimals here, although ISO 4217 gives HUF and TWD two


class AmountNotWritable(Exception):
    """PayPal cannot write this amount. `code` says whether the currency or the amount is at fault."""

    def __init__(self, code: DeclineCode) -> None:
        self.code = code
        super().__init__(code.value)


def money(minor: int, currency: str) -> dict[str, str]:
    """1990, EUR -> {"currency_code": "EUR", "value": "19.90"}. Raises AmountNotWritable."""
    if currency not in CURRENCIES:
        raise AmountNotWritable(DeclineCode.CURRENCY_NOT_SUPPORTED)
    value = to_decimal_text(minor, currency)
    if currency in _WHOLE:
        value, _, decimals = value.partition(".")
        if decimals.strip("0"):
            raise AmountNotWritable(DeclineCode.AMOUNT_NOT_ALLOWED)
    return {"currency_code": currency, "value": value}


def read_money(found: Any) -> tuple[int, str] | None:
    """The reverse; None for anything that is not an amount of a currency we know."""
    if not isinstance(found, Mapping):
        return None
    value, currency = found.get("value"), found.get("currency_code")
    if not isinstance(value, str) or len(value) > _LONGEST or not isinstance(currency, str):
        return None
    if currency not in CURRENCIES or not _DECIMAL.fullmatch(value):
        return None
    try:
        return from_decimal_text(value, currency), currency
    except BadAmount:
        return None


# A transaction's `status`. A later state proves the earlier yes: a refunded capture was a capture.
AUTHORISATION_STATES: Mapping[str, Outcome] = {
    "CREATED": Outcome.APPROVED,
    "CAPTURED": Outcome.APPROVED,
    "PARTIALLY_CAPTURED": Outcome.APPROVED,
    "PENDING": Outcome.PENDING,
    "DENIED": Outcome.DECLINED,
    "VOIDED": Outcome.DECLINED,  # nothing can be captured any more
}
CAPTURE_STATES: Mapping[str, Outcome] = {
    "COMPLETED": Outcome.APPROVED,
    "PARTIALLY_REFUNDED": Outcome.APPROVED,
    "REFUNDED": Outcome.APPROVED,
    "PENDING": Outcome.PENDING,
    "DECLINED": Outcome.DECLINED,
    "FAILED": Outcome.DECLINED,
}
REFUND_STATES: Mapping[str, Outcome] = {
    "COMPLETED": Outcome.APPROVED,
    "PENDING": Outcome.PENDING,
    "CANCELLED": Outcome.DECLINED,
    "FAILED": Outcome.DECLINED,
}

# `details[].issue` of a refusal, or its `name` where there are no details.
REFUSALS: Mapping[str, DeclineCode] = {
    "AGREEMENT_ALREADY_CANCELLED": DeclineCode.NEVER_AGAIN,
    "AMOUNT_CANNOT_BE_SPECIFIED": DeclineCode.AMOUNT_NOT_ALLOWED,
    "AUTHENTICATION_FAILURE": DeclineCode.CONFIGURATION,
    "AUTHORIZATION_ALREADY_CAPTURED": DeclineCode.ALREADY_DONE,
    "AUTHORIZATION_AMOUNT_EXCEEDED": DeclineCode.AMOUNT_NOT_ALLOWED,
    "AUTHORIZATION_CURRENCY_MISMATCH": DeclineCode.CURRENCY_NOT_SUPPORTED,
    "AUTHORIZATION_DENIED": DeclineCode.PROVIDER_DECLINED,
    "AUTHORIZATION_EXPIRED": DeclineCode.EXPIRED,
    "AUTHORIZATION_VOIDED": DeclineCode.EXPIRED,
    "AUTH_CAPTURE_CURRENCY_MISMATCH": DeclineCode.CURRENCY_NOT_SUPPORTED,
    "AUTH_CAPTURE_NOT_ENABLED": DeclineCode.CONFIGURATION,
    "AUTH_CURRENCY_MISMATCH": DeclineCode.CURRENCY_NOT_SUPPORTED,
    "BILLING_AGREEMENT_NOT_FOUND": DeclineCode.NEVER_AGAIN,
    "CANNOT_BE_NEGATIVE": DeclineCode.AMOUNT_NOT_ALLOWED,
    "CANNOT_BE_VOIDED": DeclineCode.NOT_PERMITTED,
    "CANNOT_BE_ZERO_OR_NEGATIVE": DeclineCode.AMOUNT_NOT_ALLOWED,
    "CAPTURE_FULLY_REFUNDED": DeclineCode.ALREADY_DONE,
    "COMPLIANCE_VIOLATION": DeclineCode.NOT_PERMITTED,
    "CURRENCY_MISMATCH": DeclineCode.CURRENCY_NOT_SUPPORTED,
    "DECIMALS_NOT_SUPPORTED": DeclineCode.AMOUNT_NOT_ALLOWED,
    "DECIMAL_PRECISION": DeclineCode.AMOUNT_NOT_ALLOWED,
    "DOMESTIC_TRANSACTION_REQUIRED": DeclineCode.NOT_PERMITTED,
    "INSTRUMENT_DECLINED": DeclineCode.DO_NOT_HONOUR,
    "INVALID_ACCOUNT_STATUS": DeclineCode.CONFIGURATION,
    "INVALID_CURRENCY_CODE": DeclineCode.CURRENCY_NOT_SUPPORTED,
    "INVALID_PARAMETER_SYNTAX": DeclineCode.CONFIGURATION,
    "INVALID_PARAMETER_VALUE": DeclineCode.CONFIGURATION,
    "INVALID_REQUEST": DeclineCode.CONFIGURATION,
    "INVALID_RESOURCE_ID": DeclineCode.CONFIGURATION,
    "INVALID_STRING_LENGTH": DeclineCode.CONFIGURATION,
    "INVALID_STRING_MAX_LENGTH": DeclineCode.CONFIGURATION,
    "MALFORMED_REQUEST_JSON": DeclineCode.CONFIGURATION,
    "MAX_AUTHORIZATION_COUNT_EXCEEDED": DeclineCode.LIMIT_EXCEEDED,
    "MAX_CAPTURE_AMOUNT_EXCEEDED": DeclineCode.AMOUNT_NOT_ALLOWED,
    "MAX_CAPTURE_COUNT_EXCEEDED": DeclineCode.LIMIT_EXCEEDED,
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": DeclineCode.LIMIT_EXCEEDED,
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED": DeclineCode.LIMIT_EXCEEDED,
    "MAX_VALUE_EXCEEDED": DeclineCode.AMOUNT_NOT_ALLOWED,
    "MISMATCHED_VAULT_ID_TO_PAYMENT_SOURCE": DeclineCode.CONFIGURATION,
    "MISSING_REQUIRED_PARAMETER": DeclineCode.CONFIGURATION,
    "NOT_AUTHORIZED": DeclineCode.CONFIGURATION,
    "NOT_ELIGIBLE_FOR_TOKEN_PROCESSING": DeclineCode.CONFIGURATION,
    "NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE": DeclineCode.CONFIGURATION,
    "ORDER_COMPLETED_OR_VOIDED": DeclineCode.ALREADY_DONE,
    "ORDER_EXPIRED": DeclineCode.EXPIRED,
    "ORDER_NOT_APPROVED": DeclineCode.PAYER_CANCELLED,
    "PARTIAL_REFUND_NOT_ALLOWED": DeclineCode.AMOUNT_NOT_ALLOWED,
    "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": DeclineCode.CONFIGURATION,
    "PAYEE_ACCOUNT_NOT_VERIFIED": DeclineCode.CONFIGURATION,
    "PAYEE_ACCOUNT_RESTRICTED": DeclineCode.CONFIGURATION,
    "PAYEE_BLOCKED_TRANSACTION": DeclineCode.SUSPECTED_FRAUD,
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": DeclineCode.ACCOUNT_CLOSED,
    "PAYER_ACCOUNT_RESTRICTED": DeclineCode.NOT_PERMITTED,
    "PAYER_CANNOT_PAY": DeclineCode.NOT_PERMITTED,
    "PAYMENT_SOURCE_CANNOT_BE_USED": DeclineCode.NOT_PERMITTED,
    "PAYMENT_SOURCE_DECLINED_BY_PROCESSOR": DeclineCode.DO_NOT_HONOUR,
    "PENDING_CAPTURE": DeclineCode.NOT_PERMITTED,
    "PERMISSION_DENIED": DeclineCode.CONFIGURATION,
    "PREVIOUSLY_CAPTURED": DeclineCode.ALREADY_DONE,
    "REAUTHORIZATION_NOT_SUPPORTED": DeclineCode.NOT_PERMITTED,
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": DeclineCode.DO_NOT_HONOUR,
    "REFUND_AMOUNT_EXCEEDED": DeclineCode.AMOUNT_NOT_ALLOWED,
    "REFUND_AMOUNT_TOO_LOW": DeclineCode.AMOUNT_NOT_ALLOWED,
    "REFUND_CAPTURE_CURRENCY_MISMATCH": DeclineCode.CURRENCY_NOT_SUPPORTED,
    "REFUND_FAILED_INSUFFICIENT_FUNDS": DeclineCode.INSUFFICIENT_FUNDS,
    "REFUND_IS_RESTRICTED": DeclineCode.CONFIGURATION,
    "REFUND_NOT_ALLOWED": DeclineCode.NOT_PERMITTED,
    "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK": DeclineCode.NOT_PERMITTED,
    "REFUND_TIME_LIMIT_EXCEEDED": DeclineCode.EXPIRED,
    "RESOURCE_NOT_FOUND": DeclineCode.CONFIGURATION,
    "TOKEN_EXPIRED": DeclineCode.EXPIRED,
    "TOKEN_ID_NOT_FOUND": DeclineCode.NEVER_AGAIN,
    "TRANSACTION_BLOCKED_BY_PAYEE": DeclineCode.SUSPECTED_FRAUD,
    "TRANSACTION_DISPUTED": DeclineCode.NOT_PERMITTED,
    "TRANSACTION_LIMIT_EXCEEDED": DeclineCode.LIMIT_EXCEEDED,
    "TRANSACTION_RECEIVING_LIMIT_EXCEEDED": DeclineCode.LIMIT_EXCEEDED,
    "TRANSACTION_REFUSED": DeclineCode.PROVIDER_DECLINED,
    "UNSUPPORTED_INTENT_FOR_PAYMENT_SOURCE": DeclineCode.CONFIGURATION,
    "VALIDATION_ERROR": DeclineCode.CONFIGURATION,
}

# A claim holds the money, so that counts as charged back; an inquiry holds nothing yet.
DISPUTE_STAGES: Mapping[str, DisputeTurn] = {
    "INQUIRY": "inquiry",
    "CHARGEBACK": "charged_back",
    "PRE_ARBITRATION": "charged_back",
    "ARBITRATION": "charged_back",
}
DISPUTE_OUTCOMES: Mapping[str, DisputeTurn] = {
    "RESOLVED_SELLER_FAVOUR": "reversed",
    "RESOLVED_WITH_PAYOUT": "reversed",  # PayPal pays the buyer itself
    "CANCELED_BY_BUYER": "reversed",
    "DENIED": "reversed",
    "RESOLVED_BUYER_FAVOUR": "lost",
    "ACCEPTED": "lost",  # the merchant accepted the claim
}
DISPUTE_REASONS: Mapping[str, str] = {
    "MERCHANDISE_OR_SERVICE_NOT_RECEIVED": "not_received",
    "MERCHANDISE_OR_SERVICE_NOT_AS_DESCRIBED": "not_as_described",
    "UNAUTHORISED": "unauthorised",
    "CREDIT_NOT_PROCESSED": "refund_missing",
    "DUPLICATE_TRANSACTION": "duplicate",
    "INCORRECT_AMOUNT": "wrong_amount",
    "PAYMENT_BY_OTHER_MEANS": "paid_otherwise",
    "CANCELED_RECURRING_BILLING": "subscription_cancelled",
    "PROBLEM_WITH_REMITTANCE": "remittance",
    "OTHER": "other",
}
