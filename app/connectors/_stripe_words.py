"""Stripe's words in ours: amounts, states, decline codes.

Sources: docs.stripe.com/currencies ("Zero-decimal", "Three-decimal", "Special cases"), docs.stripe.com/declines/codes,
docs.stripe.com/error-codes, the types of stripe-python 13 (states of intents, refunds and disputes).
"""

from collections.abc import Mapping
from types import MappingProxyType

from app.connectors._reading import text, whole
from app.connectors._talk import AmountNotWritable
from app.connectors.kinds import DeclineCode, DisputeTurn, Outcome
from app.core.money import EXPONENTS, exponent

# Stripe's exponent where it differs from ISO 4217. HUF and TWD are special for payouts only.
_EXPONENTS = MappingProxyType({"ISK": 2, "UGX": 2, "MGA": 0})


def to_wire(minor: int, currency: str) -> int:
    """Our minor units -> Stripe's. Raises AmountNotWritable.

    1999 EUR -> 1999, 500 JPY -> 500, 5 ISK -> 500. KWD 5.124 is refused: Stripe wants the third
    decimal to be 0, and 5.120 is not what was asked.
    """
    shift = _EXPONENTS.get(currency, exponent(currency)) - exponent(currency)
    wire, lost = (minor * 10**shift, 0) if shift >= 0 else divmod(minor, 10**-shift)
    if lost or wire <= 0 or (exponent(currency) == 3 and wire % 10):
        raise AmountNotWritable(f"{minor} {currency}")
    return wire


def from_wire(wire: int, currency: str) -> int:
    """The reverse: 500 ISK -> 5."""
    shift = exponent(currency) - _EXPONENTS.get(currency, exponent(currency))
    return wire * 10**shift if shift >= 0 else wire // 10**-shift


def read_amount(wire: object, currency: object) -> int | None:
    """An amount and currency as Stripe wrote them (500, "isk") -> ours (5); None for anything else."""
    code, number = (text(currency) or "").upper(), whole(wire)
    return from_wire(number, code) if number is not None and code in EXPONENTS else None


# A PaymentIntent's or SetupIntent's `status`. `requires_payment_method` is a no only with an error beside it.
INTENT_STATES: Mapping[str, Outcome] = MappingProxyType(
    {
        "requires_capture": Outcome.APPROVED,
        "succeeded": Outcome.APPROVED,
        "processing": Outcome.PENDING,
        "requires_action": Outcome.ACTION,
        "requires_payment_method": Outcome.DECLINED,
        "canceled": Outcome.DECLINED,
    }
)
NEVER_CONFIRMED = frozenset({"requires_payment_method", "requires_confirmation"})

REFUND_STATES: Mapping[str, Outcome] = MappingProxyType(
    {
        "succeeded": Outcome.APPROVED,
        "pending": Outcome.PENDING,
        "requires_action": Outcome.PENDING,
        "failed": Outcome.DECLINED,
        "canceled": Outcome.DECLINED,
    }
)

# A dispute's `status`. `prevented` (settled by a refund before it began) moves no money of its own.
DISPUTE_STATES: Mapping[str, DisputeTurn | None] = MappingProxyType(
    {
        "warning_needs_response": "inquiry",
        "warning_under_review": "inquiry",
        "warning_closed": "reversed",
        "needs_response": "charged_back",
        "under_review": "charged_back",
        "won": "reversed",
        "lost": "lost",
        "prevented": None,
    }
)

# `decline_code` of a card error, or `code` of any error. Not here and a card error: PROVIDER_DECLINED, logged.
DECLINES: Mapping[str, DeclineCode] = MappingProxyType(
    {
        "insufficient_funds": DeclineCode.INSUFFICIENT_FUNDS,
        "do_not_honor": DeclineCode.DO_NOT_HONOUR,
        "call_issuer": DeclineCode.DO_NOT_HONOUR,
        "no_action_taken": DeclineCode.DO_NOT_HONOUR,
        "approve_with_id": DeclineCode.DO_NOT_HONOUR,
        "expired_card": DeclineCode.EXPIRED_CARD,
        "invalid_expiry_month": DeclineCode.EXPIRED_CARD,
        "invalid_expiry_year": DeclineCode.EXPIRED_CARD,
        "incorrect_number": DeclineCode.WRONG_NUMBER,
        "invalid_number": DeclineCode.WRONG_NUMBER,
        "incorrect_cvc": DeclineCode.WRONG_SECURITY_CODE,
        "invalid_cvc": DeclineCode.WRONG_SECURITY_CODE,
        "lost_card": DeclineCode.LOST_OR_STOLEN,
        "stolen_card": DeclineCode.LOST_OR_STOLEN,
        "pickup_card": DeclineCode.LOST_OR_STOLEN,
        "card_velocity_exceeded": DeclineCode.LIMIT_EXCEEDED,
        "withdrawal_count_limit_exceeded": DeclineCode.LIMIT_EXCEEDED,
        "card_decline_rate_limit_exceeded": DeclineCode.LIMIT_EXCEEDED,
        "charge_exceeds_source_limit": DeclineCode.LIMIT_EXCEEDED,
        "charge_exceeds_transaction_limit": DeclineCode.LIMIT_EXCEEDED,
        "fraudulent": DeclineCode.SUSPECTED_FRAUD,
        "merchant_blacklist": DeclineCode.SUSPECTED_FRAUD,
        "security_violation": DeclineCode.SUSPECTED_FRAUD,
        "highest_risk_level": DeclineCode.SUSPECTED_FRAUD,
        "card_not_supported": DeclineCode.NOT_PERMITTED,
        "not_permitted": DeclineCode.NOT_PERMITTED,
        "restricted_card": DeclineCode.NOT_PERMITTED,
        "service_not_allowed": DeclineCode.NOT_PERMITTED,
        "transaction_not_allowed": DeclineCode.NOT_PERMITTED,
        "charge_disputed": DeclineCode.NOT_PERMITTED,
        "authentication_required": DeclineCode.AUTHENTICATION_REQUIRED,
        "authentication_not_handled": DeclineCode.AUTHENTICATION_FAILED,
        "payment_intent_authentication_failure": DeclineCode.AUTHENTICATION_FAILED,
        "setup_intent_authentication_failure": DeclineCode.AUTHENTICATION_FAILED,
        "invalid_account": DeclineCode.ACCOUNT_CLOSED,
        "new_account_information_available": DeclineCode.ACCOUNT_CLOSED,
        "currency_not_supported": DeclineCode.CURRENCY_NOT_SUPPORTED,
        "invalid_amount": DeclineCode.AMOUNT_NOT_ALLOWED,
        "amount_too_large": DeclineCode.AMOUNT_NOT_ALLOWED,
        "amount_too_small": DeclineCode.AMOUNT_NOT_ALLOWED,
        "invalid_charge_amount": DeclineCode.AMOUNT_NOT_ALLOWED,
        "charge_already_captured": DeclineCode.ALREADY_DONE,
        "charge_already_refunded": DeclineCode.ALREADY_DONE,
        "duplicate_transaction": DeclineCode.ALREADY_DONE,
        "capture_charge_authorization_expired": DeclineCode.EXPIRED,
        "charge_expired_for_capture": DeclineCode.EXPIRED,
        "payment_intent_payment_attempt_expired": DeclineCode.EXPIRED,
        "setup_intent_setup_attempt_expired": DeclineCode.EXPIRED,
        "do_not_try_again": DeclineCode.NEVER_AGAIN,
        "revocation_of_authorization": DeclineCode.NEVER_AGAIN,
        "revocation_of_all_authorizations": DeclineCode.NEVER_AGAIN,
        "stop_payment_order": DeclineCode.NEVER_AGAIN,
        "api_key_expired": DeclineCode.CONFIGURATION,
        "livemode_mismatch": DeclineCode.CONFIGURATION,
        "testmode_decline": DeclineCode.CONFIGURATION,
        "resource_missing": DeclineCode.CONFIGURATION,
        "parameter_invalid_empty": DeclineCode.CONFIGURATION,
        "parameter_invalid_integer": DeclineCode.CONFIGURATION,
        "parameter_missing": DeclineCode.CONFIGURATION,
        "parameter_unknown": DeclineCode.CONFIGURATION,
        "url_invalid": DeclineCode.CONFIGURATION,
        "account_invalid": DeclineCode.CONFIGURATION,
        "card_declined": DeclineCode.PROVIDER_DECLINED,
        "generic_decline": DeclineCode.PROVIDER_DECLINED,
        "processing_error": DeclineCode.PROVIDER_DECLINED,
        "issuer_not_available": DeclineCode.PROVIDER_DECLINED,
        "reenter_transaction": DeclineCode.PROVIDER_DECLINED,
        "try_again_later": DeclineCode.PROVIDER_DECLINED,
        "incorrect_zip": DeclineCode.PROVIDER_DECLINED,
        "incorrect_pin": DeclineCode.PROVIDER_DECLINED,
        "invalid_pin": DeclineCode.PROVIDER_DECLINED,
        "pin_try_exceeded": DeclineCode.PROVIDER_DECLINED,
        "offline_pin_required": DeclineCode.PROVIDER_DECLINED,
        "online_or_offline_pin_required": DeclineCode.PROVIDER_DECLINED,
    }
)

# Errors that say nothing about whether the request was carried out.
IN_DOUBT = frozenset({"lock_timeout", "rate_limit", "idempotency_key_in_use", "payment_method_provider_timeout"})

# `failure_reason` of a refund.
REFUND_FAILURES: Mapping[str, DeclineCode] = MappingProxyType(
    {
        "lost_or_stolen_card": DeclineCode.LOST_OR_STOLEN,
        "expired_or_canceled_card": DeclineCode.EXPIRED_CARD,
        "charge_for_pending_refund_disputed": DeclineCode.NOT_PERMITTED,
        "insufficient_funds": DeclineCode.INSUFFICIENT_FUNDS,
    }
)
