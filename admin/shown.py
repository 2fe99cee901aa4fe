"""Numbers and dates as a locale writes them, fast: a list shows hundreds of them.

Babel knows how, and is asked once per pattern; what differs from row to row is filled in here.
"""

from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import get_month_names, get_timezone_name
from babel.numbers import format_currency, get_decimal_symbol, get_group_symbol

from app.core.money import exponent

_SAMPLE = Decimal(7)


@lru_cache(256)
def _money_pattern(currency: str, locale: Locale) -> tuple[str, str, str, int]:
    """What stands before and after the digits, the signs for groups and decimals, how many decimals."""
    decimals = exponent(currency)
    sample = format_currency(
        _SAMPLE, currency, format=None, locale=locale, currency_digits=False, decimal_quantization=False
    )
    before, _seven, rest = sample.partition("7")
    after = rest.lstrip("".join((get_decimal_symbol(locale), "0")))
    return before, after, get_group_symbol(locale) + get_decimal_symbol(locale), decimals


def money(minor: int, currency: str, locale: Locale) -> str:
    """1250, EUR -> 12,50 € (de), €12.50 (en)."""
    before, after, signs, decimals = _money_pattern(currency, locale)
    digits = f"{Decimal(abs(minor)).scaleb(-decimals):,.{decimals}f}"
    if signs != ",.":
        digits = digits.translate({ord(","): signs[0], ord("."): signs[1]})
    return f"{'-' if minor < 0 else ''}{before}{digits}{after}"


@lru_cache(8)
def _months(locale: Locale) -> dict[int, str]:
    return dict(get_month_names("abbreviated", locale=locale))


@lru_cache(256)
def _zone_name(zone: tzinfo, summer: bool, name: str | None, locale: Locale) -> str:
    """ "MEZ" in German, "CET" in English."""
    sample = datetime(2026, 7 if summer else 1, 15, tzinfo=zone)
    return get_timezone_name(sample, "short", locale=locale) or name or ""


def day_and_month(local: datetime, locale: Locale) -> str:
    """21. Nov. (de), 21 Nov (en)."""
    dot = "." if locale.language == "de" else ""
    return f"{local.day}{dot} {_months(locale)[local.month]}"


def exact(local: datetime, locale: Locale) -> str:
    """With year, seconds and the zone's name: 21. Nov. 2026, 20:04:40 MEZ."""
    zone = local.tzinfo
    assert zone is not None
    named = _zone_name(zone, bool(local.dst()), local.tzname(), locale)
    return f"{day_and_month(local, locale)} {local.year}, {local:%H:%M:%S} {named}"
