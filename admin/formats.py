"""How things look: money, moments, ids, states. Templates reach these as `office.money(...)` and so on."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal
from flask_babel import gettext as _
from markupsafe import Markup

from admin import shown, words
from admin.assets import asset
from admin.here import here
from app.core.clock import now
from app.core.ids import public_id
from app.core.money import exponent
from app.merchants import keys
from app.payments.words import dispute_words, refusal_words


def money(minor: int | None, currency: str) -> str:
    """1250, EUR -> 12,50 € in German, €12.50 in English."""
    return "–" if minor is None else shown.money(minor, currency, here().locale)


def typed(minor: int, currency: str) -> str:
    """The same as a person would type it into a field: 12,50 or 12.50, without the currency."""
    decimals = exponent(currency)
    text = f"{Decimal(minor).scaleb(-decimals):.{decimals}f}"
    return text.replace(".", ",") if here().language == "de" else text


def number(value: int) -> str:
    return format_decimal(value, locale=here().locale)


def size(count: int) -> str:
    """20000000 -> 20 MB, 1250000 -> 1.2 MB, 900 -> 1 KB."""
    if count >= 1_000_000:
        return f"{format_decimal(round(count / 1_000_000, 1), locale=here().locale)} MB"
    return f"{number(max(1, round(count / 1000)))} KB"


def exact(moment: datetime) -> str:
    """With seconds and the zone's name, in the user's zone."""
    return shown.exact(moment.astimezone(here().zone), here().locale)


def moment(value: datetime | None) -> Markup:
    """A point in time as short as it can be: today the time, this year day and time, else the date. Exact on hover."""
    if value is None:
        return Markup("–")
    where = here()
    local, today = value.astimezone(where.zone), where.today
    if local.date() == today:
        text = f"{local:%H:%M}"
    elif local.year == today.year:
        text = f"{shown.day_and_month(local, where.locale)}, {local:%H:%M}"
    else:
        text = f"{shown.day_and_month(local, where.locale)} {local.year}"
    return _time(local, text)


def ago(value: datetime | None) -> Markup:
    """How long since, or until: "vor 3 Stunden", "in 2 Tagen". Exact on hover."""
    if value is None:
        return Markup("–")
    difference = value - now()
    if abs(difference) > timedelta(minutes=1):
        text = _relative(difference)
    else:  # "3 seconds ago" is no longer true when it is read
        text = _("just now") if difference <= timedelta() else _("in a moment")
    return _time(value, text)


def _relative(difference: timedelta) -> str:
    return format_timedelta(difference, add_direction=True, threshold=0.9, locale=here().locale)


def age(value: datetime) -> str:
    """How old: "3 Stunden"."""
    return format_timedelta(now() - value, threshold=0.9, locale=here().locale)


def day(value: date | None) -> str:
    return format_date(value, "medium", locale=here().locale) if value else "–"


_TIME = Markup('<time datetime="%s" title="%s">%s</time>')


def _time(value: datetime, text: str) -> Markup:
    return _TIME % (value.isoformat(timespec="seconds"), exact(value), text)


def reference(prefix: str, value: UUID, url: str | None = None) -> Markup:
    """A shortened id with a button that copies the whole one."""
    full = public_id(prefix, value)
    short = shortened(full)
    linked = Markup('<a href="{}">{}</a>').format(url, short) if url else Markup("<span>{}</span>").format(short)
    return Markup('<span class="ref" title="{}">{}{}</span>').format(full, linked, copy(full))


def shortened(full: str) -> str:
    """`pay_01h455vb4pex5vsknk084sn02q` -> `pay_01h4…n02q`."""
    start = full.find("_") + 5
    return f"{full[:start]}…{full[-4:]}" if len(full) > start + 6 else full


def copy(text: str) -> Markup:
    """A button that copies `text`."""
    return Markup('<button type="button" class="copy" data-copy="{}" aria-label="{}">{}</button>').format(
        text, _("Copy %(text)s", text=text), icon("copy")
    )


def copy_secret(text: str) -> Markup:
    """The same for a secret, whose text no screen reader should have to spell."""
    return Markup('<button type="button" class="button slim" data-copy="{}">{}{}</button>').format(
        text, icon("copy"), _("Copy")
    )


@cache
def icon(name: str) -> Markup:
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(asset("icons.svg"), name)


def badge(word: words.Word) -> Markup:
    """A state as word and shape; the colour only underlines it."""
    return _badge(word, here().language)


@cache
def _badge(word: words.Word, language: str) -> Markup:
    """`language` is the one that `_` translates into: a list shows fifty of a dozen."""
    return Markup('<span class="badge {}">{}{}</span>').format(word.tone, icon(f"s-{word.shape}"), _(word.label))


def status(value: str) -> Markup:
    return badge(words.STATUS[value])


def operation_state(value: str) -> Markup:
    return badge(words.OPERATION[value])


def dispute_state(value: str) -> Markup:
    return badge(words.DISPUTE[value])


def delivery_state(value: str) -> Markup:
    return badge(words.DELIVERY[value])


def mode(live: bool | None) -> Markup:
    return Markup("–") if live is None else badge(words.LIVE if live else words.TEST)


def switch(active: bool) -> Markup:
    return badge(words.ACTIVE if active else words.INACTIVE)


def instrument(row: Mapping[str, Any]) -> str:
    """How it was paid: "Visa •••• 4242", "PayPal". Needs method, brand and last4."""
    method = row["method"]
    if method is None:
        return "–"
    if row["last4"]:
        brand = words.BRANDS.get(row["brand"] or "") or said(words.METHODS["card"])
        return f"{brand} •••• {row['last4']}"
    return _(words.METHODS.get(method, method))


def said(text: str | None, **values: object) -> str:
    """The translation of an English text that came from a table."""
    return _(text, **values) if text else ""


def code(value: str | None) -> str:
    """A decline code in words; codes we have no words for stay as they are."""
    if value is None:
        return ""
    return _(refusal_words(value))


def routing_reason(reason: str) -> str:
    """Why a contract was tried in its place: `priority 10` -> "priority 10"."""
    kind, _space, value = reason.partition(" ")
    return _("priority %(value)s", value=value) if kind == "priority" else reason


def capture_mode(payment: Mapping[str, Any]) -> str:
    return said(words.CAPTURE_MODES[payment["capture_mode"]], day=day(payment["capture_on"]))


def source(value: str) -> str:
    return _(words.SOURCES[value]) if value in words.SOURCES else value


def dispute_reason(value: str) -> str:
    """In words where we know them; providers have reasons of their own."""
    return _(dispute_words(value))


def answer(delivery: Mapping[str, Any]) -> str:
    """What the endpoint last answered: "200 in 34 ms", "timed out"."""
    if delivery["last_status"] is not None:
        duration = delivery["last_duration_ms"]
        return f"{delivery['last_status']}" + (f" · {duration} ms" if duration is not None else "")
    return delivery["last_error"] or "–"


def deadline(dispute: Mapping[str, Any]) -> Markup:
    """The last day for an answer (as the provider counts days, in UTC); how long that is, while it is open."""
    due = dispute["respond_by"]
    if due is None:
        return Markup("–")
    last_day = deadline_day(dispute)
    if dispute["state"] not in ("inquiry", "charged_back"):
        return _time(due, last_day)
    if due < now():
        return Markup("{} {}").format(_time(due, last_day), badge(words.LATE))
    return Markup("{} <span class='soft'>({})</span>").format(_time(due, last_day), _relative(due - now()))


def event_name(name: str) -> str:
    """`capture.succeeded` -> "Capture succeeded"."""
    word, noun = words.event(name)
    return _(word.label, noun=_(noun)) if noun else _(word.label)


def key_state(key: Mapping[str, Any]) -> Markup:
    ends = key["expires_at"]
    if key["revoked_at"] is not None:
        return badge(words.REVOKED)
    if ends is None:
        return badge(words.ACTIVE)
    return badge(words.ENDED if has_ended(key) else words.ENDING)


def has_ended(key: Mapping[str, Any]) -> bool:
    """An API key that was rotated, and whose overlap is over."""
    return keys.has_ended(key["expires_at"])


def endpoint_state(endpoint: Mapping[str, Any]) -> Markup:
    if not endpoint["active"]:
        return badge(words.INACTIVE)
    return badge(words.FAILING if endpoint["failing_since"] else words.ACTIVE)


def customer_state(customer: Mapping[str, Any]) -> Markup:
    if customer["erased_at"] is not None:
        return badge(words.ERASED)
    return badge(words.RESTRICTED if customer["restricted_at"] is not None else words.ACTIVE)


def address_line(address: Mapping[str, Any]) -> str:
    """ "Musterweg 1, 10115 Berlin, DE"."""
    town = " ".join(part for part in (address.get("postal_code"), address.get("city")) if part)
    return ", ".join(part for part in (address.get("street"), town, address.get("country")) if part)


def deadline_day(dispute: Mapping[str, Any]) -> str:
    return day(dispute["respond_by"].astimezone(UTC).date()) if dispute["respond_by"] else "–"


def risk_reason(reason: str, currency: str) -> str:
    """`amount above 49999` -> "amount above 499,99 €"; other reasons as they are."""
    found = re.fullmatch(r"amount above (\d+)", reason)
    return _("amount above %(amount)s", amount=money(int(found.group(1)), currency)) if found else reason
