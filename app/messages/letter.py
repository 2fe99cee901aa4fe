"""A mail's facts and the shop's look -> a message to send: text and HTML, nothing loaded from elsewhere.

Templates: `mails/<letter>.<language>.txt` (first line: the subject) and `.html`. The logo travels inside.
"""

import socket
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import jinja2
from babel.dates import format_date
from babel.dates import format_datetime as format_moment
from babel.numbers import format_currency
from babel.support import NullTranslations, Translations

from app.config import settings
from app.core.clock import now
from app.core.money import Money
from app.messages.events import by_name
from app.payments.words import dispute_words, refusal_words

_ROOT = Path(__file__).resolve().parents[2]
_LOCALES = {"de": "de_DE", "en": "en_GB"}
_MOMENTS = {"de": "d. MMMM y, HH:mm 'Uhr'", "en": "d MMMM y, HH:mm"}
_BRANDS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "maestro": "Maestro"}
_METHODS = {"paypal": "PayPal"}
_CARD = {"de": "Karte", "en": "Card"}
_LOGO_TYPES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif"}


class BadAddress(Exception):
    """The recipient's address has no form that a mail server could read."""


def write(mail_id: UUID, letter: str, content: Mapping[str, Any], shop: Mapping[str, Any] | None) -> EmailMessage:
    """Renders a letter. `content` as app/messages/mail.py seals it. Raises BadAddress."""
    language = content["language"]
    look = _look(shop, content["role"])
    context = {**content["facts"], "role": content["role"], "look": look, "language": language, **_tools(content)}
    subject, _, text = _rendered(f"{letter}.{language}.txt", context).partition("\n")
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _one_line(subject if content["facts"]["live"] else f"[Test] {subject}")
    _addressed(message, mail_id, content, shop)
    message.set_content(text.strip() + "\n", cte="quoted-printable")
    message.add_alternative(
        _rendered(f"{letter}.{language}.html", {**context, "subject": subject}), subtype="html", cte="quoted-printable"
    )
    if look["logo"] and shop is not None:
        html = message.get_payload()[1]  # type: ignore[index]
        kind = _LOGO_TYPES[shop["logo_type"]]
        html.add_related(shop["logo"], "image", kind, cid="<logo>", filename=f"logo.{kind}")  # type: ignore[union-attr]
    return message


def _addressed(
    message: EmailMessage, mail_id: UUID, content: Mapping[str, Any], shop: Mapping[str, Any] | None
) -> None:
    """From, To and the headers that tell machines what this is. The id is the same if it is sent again."""
    name, address = parseaddr(settings().mail_from)
    domain = address.rpartition("@")[2] or socket.gethostname()
    payer = content["role"] == "payer"
    message["From"] = Address(_one_line(shop["name"]) if payer and shop else name, addr_spec=address)
    try:
        message["To"] = Address(addr_spec=content["to"])
    except (ValueError, IndexError) as error:
        raise BadAddress(type(error).__name__) from None
    if payer and shop and shop["notify_email"]:
        message["Reply-To"] = shop["notify_email"]
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{mail_id.hex}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["Content-Language"] = content["language"]
    if content["role"] in ("shop", "merchant"):
        message["List-Id"] = f"<{content['role']}-notifications.{domain}>"


def _look(shop: Mapping[str, Any] | None, role: str) -> dict[str, Any]:
    """The shop's look for payers and shops; the merchant's account, those who keep it and the staff in plain grey."""
    if shop is None or role in ("merchant", "keeper", "staff"):
        return {"name": "Zahlwerk", "accent": "#44516b", "radius": 8, "logo": False, "imprint_url": None, "email": None}
    return {
        "name": shop["name"],
        "accent": shop["accent"],
        "radius": shop["radius"],
        "logo": bool(shop["logo"]) and shop["logo_type"] in _LOGO_TYPES,
        "imprint_url": shop["imprint_url"],
        "email": shop["notify_email"],
    }


def _tools(content: Mapping[str, Any]) -> dict[str, Any]:
    """What templates say amounts, times and means of payment with."""
    language, facts = content["language"], content["facts"]
    locale, zone = _LOCALES[language], ZoneInfo(facts["timezone"])
    event = by_name().get(facts["event"])

    def money(minor: int, currency: str) -> str:
        return format_currency(Money(minor, currency).decimal, currency, locale=locale)

    def moment(value: str) -> str:
        return format_moment(datetime.fromisoformat(value), _MOMENTS[language], tzinfo=zone, locale=locale)

    def day(value: str) -> str:  # a deadline: in UTC, so that it is never named a day too late
        return format_date(datetime.fromisoformat(value), "long", locale=locale)

    def means(payment: Mapping[str, Any]) -> str:
        if payment["last4"]:
            brand = _BRANDS.get(payment["brand"] or "", (payment["brand"] or "").title()) or _CARD[language]
            return f"{brand} •••• {payment['last4']}"
        return _METHODS.get(payment["method"] or "", (payment["method"] or "").replace("_", " ").title())

    def why(data: Mapping[str, Any]) -> str:
        if facts["event"].startswith("dispute."):
            return _translated(dispute_words(data.get("reason") or "general"), language)
        return data.get("reason") or (_translated(refusal_words(data["code"]), language) if data.get("code") else "")

    return {
        "said": lambda text: _translated(text, language),
        "why": why,
        "money": money,
        "moment": moment,
        "day": day,
        "means": means,
        "title": _translated(event.TITLE, language) if event else facts["event"],
        "description": _translated(event.DESCRIPTION, language) if event else "",
    }


def _rendered(name: str, context: Mapping[str, Any]) -> str:
    return _templates().get_template(name).render(context)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "mails"),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _translated(english: str, language: str) -> str:
    return english if language == "en" else _catalogue(language).gettext(english)


@cache
def _catalogue(language: str) -> NullTranslations:
    return Translations.load(_ROOT / "translations", [language])


def _one_line(text: str) -> str:
    """No header can be added through a name or a reference."""
    return " ".join(text.split())[:200]
