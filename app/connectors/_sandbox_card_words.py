"""The words of the sandbox acquirers A to E and what they mean in ours. A word that is missing is UNKNOWN."""

from app.connectors.kinds import DeclineCode, Outcome

# What the five call the same thing.
FIELD_NAMES = {
    "state": "status",
    "result": "status",
    "response_code": "status",
    "refusalReason": "reason",
    "reason_code": "reason",
    "redirectUrl": "action_url",
}
OUTCOMES = {
    **dict.fromkeys(("approved", "AUTHORISED", "ACK", "done", "00"), Outcome.APPROVED),
    **dict.fromkeys(("declined", "REFUSED", "NAK", "rejected"), Outcome.DECLINED),
    **dict.fromkeys(("pending", "RECEIVED", "WAIT", "accepted"), Outcome.PENDING),
    **dict.fromkeys(("action", "REDIRECT_SHOPPER", "3DS", "challenge"), Outcome.ACTION),
}
REASONS = {
    "insufficient_funds": DeclineCode.INSUFFICIENT_FUNDS,
    "do_not_honour": DeclineCode.DO_NOT_HONOUR,
    "refused": DeclineCode.PROVIDER_DECLINED,
    "card_expired": DeclineCode.EXPIRED_CARD,
    "invalid_number": DeclineCode.WRONG_NUMBER,
    "invalid_security_code": DeclineCode.WRONG_SECURITY_CODE,
    "lost_card": DeclineCode.LOST_OR_STOLEN,
    "stolen_card": DeclineCode.LOST_OR_STOLEN,
    "limit_exceeded": DeclineCode.LIMIT_EXCEEDED,
    "suspected_fraud": DeclineCode.SUSPECTED_FRAUD,
    "not_permitted": DeclineCode.NOT_PERMITTED,
    "authentication_required": DeclineCode.AUTHENTICATION_REQUIRED,
    "authentication_failed": DeclineCode.AUTHENTICATION_FAILED,
    "payer_cancelled": DeclineCode.PAYER_CANCELLED,
    "account_closed": DeclineCode.ACCOUNT_CLOSED,
    "currency_not_supported": DeclineCode.CURRENCY_NOT_SUPPORTED,
    "wrong_currency": DeclineCode.CURRENCY_NOT_SUPPORTED,
    "amount_not_allowed": DeclineCode.AMOUNT_NOT_ALLOWED,
    "more_than_left": DeclineCode.AMOUNT_NOT_ALLOWED,
    "stop_recurring": DeclineCode.NEVER_AGAIN,
    "already_captured": DeclineCode.ALREADY_DONE,
    "already_refunded": DeclineCode.ALREADY_DONE,
    "already_cancelled": DeclineCode.ALREADY_DONE,
    "authorisation_renewed": DeclineCode.ALREADY_DONE,
    "authorisation_expired": DeclineCode.EXPIRED,
    # B
    "NOT_ENOUGH_BALANCE": DeclineCode.INSUFFICIENT_FUNDS,
    "ISSUER_REFUSED": DeclineCode.DO_NOT_HONOUR,
    "EXPIRED_CARD": DeclineCode.EXPIRED_CARD,
    "INVALID_CARD_NUMBER": DeclineCode.WRONG_NUMBER,
    "CVC_DECLINED": DeclineCode.WRONG_SECURITY_CODE,
    "BLOCKED_CARD": DeclineCode.LOST_OR_STOLEN,
    "WITHDRAWAL_AMOUNT_EXCEEDED": DeclineCode.LIMIT_EXCEEDED,
    "FRAUD": DeclineCode.SUSPECTED_FRAUD,
    "TRANSACTION_NOT_PERMITTED": DeclineCode.NOT_PERMITTED,
    "SCA_REQUIRED": DeclineCode.AUTHENTICATION_REQUIRED,
    "NOT_3D_AUTHENTICATED": DeclineCode.AUTHENTICATION_FAILED,
    "SHOPPER_CANCELLED": DeclineCode.PAYER_CANCELLED,
    "CLOSED_ACCOUNT": DeclineCode.ACCOUNT_CLOSED,
    "REVOCATION_OF_AUTH": DeclineCode.NEVER_AGAIN,
}
# E: response codes of the schemes (ISO 8583 field 39) where others have a status word. All are a no.
RESPONSE_CODES = {
    "04": DeclineCode.LOST_OR_STOLEN,
    "05": DeclineCode.DO_NOT_HONOUR,
    "12": DeclineCode.PROVIDER_DECLINED,
    "13": DeclineCode.AMOUNT_NOT_ALLOWED,
    "14": DeclineCode.WRONG_NUMBER,
    "1A": DeclineCode.AUTHENTICATION_REQUIRED,
    "41": DeclineCode.LOST_OR_STOLEN,
    "43": DeclineCode.LOST_OR_STOLEN,
    "46": DeclineCode.ACCOUNT_CLOSED,
    "51": DeclineCode.INSUFFICIENT_FUNDS,
    "54": DeclineCode.EXPIRED_CARD,
    "57": DeclineCode.NOT_PERMITTED,
    "59": DeclineCode.SUSPECTED_FRAUD,
    "61": DeclineCode.LIMIT_EXCEEDED,
    "65": DeclineCode.LIMIT_EXCEEDED,
    "N7": DeclineCode.WRONG_SECURITY_CODE,
    "R0": DeclineCode.NEVER_AGAIN,
    "R1": DeclineCode.NEVER_AGAIN,
}
MASTERCARD_RESPONSE_CODES = {**RESPONSE_CODES, "65": DeclineCode.AUTHENTICATION_REQUIRED}  # the soft decline
# A request that was refused before anything happened. `not_processed` is the only one that is no decline.
ERRORS = {
    "wrong_key": DeclineCode.CONFIGURATION,
    "invalid": DeclineCode.CONFIGURATION,
    "invalid_card": DeclineCode.WRONG_NUMBER,
    "unknown_token": DeclineCode.CONFIGURATION,
    "unknown_authorisation": DeclineCode.PROVIDER_DECLINED,
}
