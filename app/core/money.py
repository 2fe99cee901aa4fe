"""Money: whole minor units and a currency. Never a float.

Exponents: ISO 4217 list one (amendment 177).
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from app.core.errors import Refusal
from app.core.texts import N_

LARGEST_MINOR = 99_999_999_999  # 999,999,999.99 EUR: more is a typing error, and fits every provider's field

_NO_MINOR = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_TWO = (
    "AED ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CHF CNY COP CRC CVE CZK "
    "DKK DOP DZD EGP ETB EUR FJD GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD KES KGS KHR KYD KZT "
    "LAK LBP LKR LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR "
    "PLN QAR RON RSD SAR SBD SCR SEK SGD SRD SZL THB TOP TRY TTD TWD TZS UAH USD UYU UZS WST XCD YER ZAR ZMW"
)
EXPONENTS: dict[str, int] = {
    **dict.fromkeys(_NO_MINOR.split(), 0),
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_THREE.split(), 3),
}


class UnknownCurrency(Refusal):
    code = "unknown_currency"
    message = N_("%(currency)s is not a currency we know.")
    advice = N_("Use a three-letter ISO 4217 code such as EUR.")


class BadAmount(Refusal):
    code = "bad_amount"
    message = N_("“%(typed)s” is not an amount.")
    advice = N_("Type it like 12,50 or 12.50.")


class AmbiguousAmount(BadAmount):
    code = "ambiguous_amount"
    message = N_("“%(typed)s” can be read in two ways.")
    advice = N_("Write the decimals too, for example 1.234,00.")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents) of a currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-exponent(self.currency))


def exponent(currency: str) -> int:
    """Number of decimals of a currency (EUR 2, JPY 0, KWD 3). Raises UnknownCurrency."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(currency=currency, param="currency") from None


def to_decimal_text(minor: int, currency: str) -> str:
    """1250, EUR -> "12.50": the form of PayPal's and many others' wire formats."""
    return f"{Decimal(minor).scaleb(-exponent(currency)):f}"


def from_decimal_text(text: str, currency: str) -> int:
    """ "12.50", EUR -> 1250. Raises BadAmount when the text has more decimals than the currency."""
    try:
        scaled = Decimal(text).scaleb(exponent(currency))
    except ArithmeticError:
        raise BadAmount(typed=text) from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise BadAmount(typed=text)
    return int(scaled)


def parse_typed(typed: str, currency: str) -> int:
    """What a person typed -> minor units: `12,50`, `12.50`, `1.234,56`, `1,234.56`, `12`, `1 234,5`.

    With both separators the last one is the decimal one. A single separator followed by more digits
    than the currency has decimals (`1.234` EUR) is refused as ambiguous. Raises BadAmount.
    """
    text = re.sub(r"[\s\u00a0\u202f']|€|" + re.escape(currency), "", typed)
    if not re.fullmatch(r"[0-9][0-9.,]*", text):
        raise BadAmount(typed=typed)
    decimals = exponent(currency)
    last = max(text.rfind(","), text.rfind("."))
    if last < 0:
        whole, part = text, ""
    else:
        whole, part = text[:last], text[last + 1 :]
        grouping = set(whole) & {",", "."}
        if not grouping and (len(part) > decimals or not part):
            raise AmbiguousAmount(typed=typed)
        if grouping and not _is_grouped(whole, text[last], part, decimals):
            raise BadAmount(typed=typed)
        if grouping == {text[last]}:  # 1.234.567: only grouping signs, no decimals
            whole, part = text, ""
    digits = re.sub(r"[.,]", "", whole) + part.ljust(decimals, "0")
    minor = int(digits)
    if minor > LARGEST_MINOR:
        raise BadAmount(typed=typed)
    return minor


def _is_grouped(whole: str, last_sign: str, part: str, decimals: int) -> bool:
    signs = set(whole) & {",", "."}
    if len(signs) > 1:
        return False
    sign = signs.pop()
    if sign == last_sign:  # the "decimals" are one more group of three
        return bool(re.fullmatch(rf"\d{{1,3}}(\{sign}\d{{3}})*", whole)) and len(part) == 3
    return bool(re.fullmatch(rf"\d{{1,3}}(\{sign}\d{{3}})+", whole)) and 0 < len(part) <= decimals
