"""Adyen's published test cards (docs.adyen.com/development-resources/testing/test-card-numbers) and the holder names
that bring about a refusal (docs.adyen.com/development-resources/testing/result-codes).

Security code 737 (American Express 7373), any expiry in the future. Any other number that passes the Luhn test is
approved as a Visa card.
"""

from dataclasses import dataclass

from sandbox.stand_in import luhn


@dataclass(frozen=True, slots=True)
class TestCard:
    brand: str = "visa"
    funding: str = "CREDIT"
    country: str = "NL"
    three_ds: bool = False


_CARDS = {
    "4111111111111111": TestCard(),
    "4111111145551142": TestCard(),
    "4000020000000000": TestCard(funding="DEBIT", country="US"),
    "2223000048410010": TestCard("mc"),
    "5555341244441115": TestCard("mc", country="DE"),
    "5200828282828210": TestCard("mc", funding="DEBIT"),
    "370000000000002": TestCard("amex"),
    "36006666333344": TestCard("diners", country="US"),
    "6011601160116611": TestCard("discover", country="US"),
    "4212345678901237": TestCard(three_ds=True),
    "5212345678901234": TestCard("mc", three_ds=True),
}

# holder name -> refusalReasonCode, refusalReason
REFUSALS = {
    "DECLINED": ("2", "Refused"),
    "REFERRAL": ("3", "Referral"),
    "ERROR": ("4", "Acquirer Error"),
    "BLOCK_CARD": ("5", "Blocked Card"),
    "CARD_EXPIRED": ("6", "Expired Card"),
    "INVALID_CARD": ("8", "Invalid Card Number"),
    "ISSUER_UNAVAILABLE": ("9", "Issuer Unavailable"),
    "NOT_ENOUGH_BALANCE": ("12", "Not enough balance"),
    "ACQUIRER_FRAUD": ("14", "Acquirer Fraud"),
    "CVC_DECLINED": ("24", "CVC Declined"),
    "RESTRICTED_CARD": ("25", "Restricted Card"),
    "REVOCATION_OF_AUTH": ("26", "Revocation Of Auth"),
    "AUTHENTICATION_REQUIRED": ("38", "Authentication required"),
}


def card_of(number: str) -> TestCard | None:
    """None for what is not a card number."""
    if not number.isdigit() or not 12 <= len(number) <= 19 or not luhn(number):
        return None
    return _CARDS.get(number, TestCard())


def refusal_of(holder: str | None) -> tuple[str, str] | None:
    """ "AUTHENTICATION_REQUIRED : 1A" counts by its first word."""
    words = (holder or "").split()
    return REFUSALS.get(words[0]) if words else None
