"""Why something was refused or disputed, in words that merchants and staff read."""

from app.core.texts import N_

# What a payment's status is called.
STATUSES: dict[str, str] = {
    "created": N_("Started"),
    "requires_action": N_("Waits for the payer"),
    "pending": N_("Under way"),
    "authorised": N_("Authorised"),
    "partially_captured": N_("Partly captured"),
    "captured": N_("Captured"),
    "partially_refunded": N_("Partly refunded"),
    "refunded": N_("Refunded"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired"),
    "failed": N_("Failed"),
    "charged_back": N_("Charged back"),
}

# Our decline codes (connectors/kinds.DeclineCode) and those of our own that operations carry.
CODES: dict[str, str] = {
    "insufficient_funds": N_("Not enough money on the account"),
    "do_not_honour": N_("Declined by the bank without a reason"),
    "expired_card": N_("Card expired"),
    "wrong_number": N_("Wrong card number"),
    "approval_rejected": N_("Not approved"),
    "approval_expired": N_("Nobody approved it in time"),
    "approval_stale": N_("The payment changed before it was approved"),
    "approval_withdrawn": N_("Taken back by whoever asked for it"),
    "wrong_security_code": N_("Wrong security code"),
    "lost_or_stolen": N_("Card reported lost or stolen"),
    "limit_exceeded": N_("Limit exceeded"),
    "suspected_fraud": N_("Suspected fraud"),
    "not_permitted": N_("Not permitted with this card"),
    "authentication_required": N_("The bank wants the payer to confirm"),
    "authentication_failed": N_("The payer could not confirm"),
    "payer_cancelled": N_("Cancelled by the payer"),
    "account_closed": N_("Account closed"),
    "currency_not_supported": N_("Currency not supported"),
    "amount_not_allowed": N_("Amount not allowed"),
    "already_done": N_("Done already"),
    "expired": N_("Too old"),
    "never_again": N_("The bank forbids further attempts"),
    "configuration": N_("Our settings at the provider are wrong"),
    "provider_declined": N_("Declined by the provider without a known reason"),
    "never_arrived": N_("Never arrived at the provider"),
    "not_sent": N_("The provider could not be reached; nothing was sent"),
    "refused_by_risk_check": N_("Refused by a risk check"),
    "cancelled": N_("Cancelled"),
    "revoked": N_("Taken back by the provider"),
}

# Why a payer's bank asks or takes back; providers have reasons of their own besides.
DISPUTE_REASONS: dict[str, str] = {
    "fraudulent": N_("Payer says: I did not pay this"),
    "duplicate": N_("Charged twice"),
    "product_not_received": N_("Goods not received"),
    "not_received": N_("Goods not received"),
    "product_unacceptable": N_("Goods not as described"),
    "not_as_described": N_("Goods not as described"),
    "subscription_canceled": N_("Subscription was cancelled"),
    "credit_not_processed": N_("Refund not received"),
    "unrecognized": N_("Payer does not recognise the payment"),
    "general": N_("No reason given"),
}


def refusal_words(code: str) -> str:
    """The English text for a code; one we have no words for stays as it is."""
    return CODES.get(code, code)


def dispute_words(reason: str) -> str:
    return DISPUTE_REASONS.get(reason) or reason.replace("_", " ")
