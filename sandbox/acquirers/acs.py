"""The bank's page of 3-D Secure (the access control server): approve, decline, or go back.

One page without scripts, cookies or anything loaded from elsewhere; it works inside a frame on another
site. The decision is a POST; the answer sends the browser to the merchant's return address with
`challenge=<proof>`, without which nobody can finish the authorisation.
"""

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from app.core.money import Money
from sandbox.acquirers.acquirer import Acquirer
from sandbox.acquirers.authorise import end_challenge, proof_of
from sandbox.acquirers.book import Operation
from sandbox.acquirers.wire import Reply, Request

_TEXTS = {
    "en": {
        "title": "Confirm your payment",
        "band": "Test environment: no money moves",
        "bank": "Sandbox Bank",
        "lead": "Your bank wants to know that it is you who pays.",
        "amount": "Amount",
        "card": "Card",
        "reference": "Payment for",
        "code": "Comparison code",
        "code_help": "In real life your banking app shows the same code.",
        "approve": "Approve",
        "decline": "Decline",
        "cancel": "Cancel and go back to the shop",
        "over": "This payment has already been answered.",
        "back": "Back to the shop",
        "unknown": "This page does not exist or is no longer needed.",
    },
    "de": {
        "title": "Zahlung bestätigen",
        "band": "Testumgebung: es fließt kein Geld",
        "bank": "Sandbox-Bank",
        "lead": "Ihre Bank möchte wissen, ob wirklich Sie bezahlen.",
        "amount": "Betrag",
        "card": "Karte",
        "reference": "Zahlung für",
        "code": "Vergleichscode",
        "code_help": "Im echten Leben zeigt Ihre Banking-App denselben Code.",
        "approve": "Freigeben",
        "decline": "Ablehnen",
        "cancel": "Abbrechen und zurück zum Shop",
        "over": "Diese Zahlung ist schon beantwortet.",
        "back": "Zurück zum Shop",
        "unknown": "Diese Seite gibt es nicht, oder sie wird nicht mehr gebraucht.",
    },
}
_BRANDS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express"}
_DECISIONS = ("approve", "decline", "cancel")


def answer(acquirer: Acquirer, request: Request, secret: str) -> Reply:
    language = _language(request.headers.get(b"accept-language", b"").decode("latin-1"))
    operation = acquirer.book.by_acs.get(secret)
    if operation is None:
        return _page(language, 404, f"<p>{_TEXTS[language]['unknown']}</p>")
    automatic = acquirer.control.acs if acquirer.control.acs != "page" else None
    decision = _posted_decision(request) if request.method == "POST" else automatic
    if decision and operation.state == "action":
        _decide(acquirer, operation, decision)
    if operation.decision:
        back = _back_url(acquirer, operation)
        if decision:
            return Reply(303, headers=(("Location", back), *_HEADERS), content_type="text/plain")
        text = _TEXTS[language]
        return _page(language, 200, f'<p>{text["over"]}</p><p><a href="{escape(back)}">{text["back"]}</a></p>')
    return _page(language, 200, _question(language, operation))


def _posted_decision(request: Request) -> str | None:
    chosen = parse_qs(request.body.decode("latin-1")).get("decision", [""])[0]
    return chosen if chosen in _DECISIONS else None


def _decide(acquirer: Acquirer, operation: Operation, decision: str) -> None:
    """The first decision stands."""
    if operation.decision is None:
        acquirer.book.record("challenge_answered", id=operation.id, decision=decision)
    if acquirer.letter.authorises_at_acs:
        end_challenge(acquirer, operation)
        acquirer.tell(operation)


def _back_url(acquirer: Acquirer, operation: Operation) -> str:
    parts = urlsplit(operation.return_url)
    query = "&".join(filter(None, (parts.query, urlencode({"challenge": proof_of(acquirer, operation)}))))
    return urlunsplit(parts._replace(query=query))


def _question(language: str, operation: Operation) -> str:
    from babel.numbers import format_currency  # late: 20 MB that an acquirer without challenges does not need

    text, authorisation = _TEXTS[language], operation.authorisation
    assert authorisation
    amount = format_currency(Money(operation.amount, operation.currency).decimal, operation.currency, locale=language)
    rows = [
        (text["amount"], amount, "amount"),
        (text["card"], f"{_BRANDS.get(authorisation.brand, '')} •••• {authorisation.last4}", ""),
        (text["reference"], authorisation.reference or "–", ""),
        (text["code"], _comparison_code(operation), "code"),
    ]
    facts = "".join(f'<div><dt>{name}</dt><dd class="{kind}">{escape(value)}</dd></div>' for name, value, kind in rows)
    return f"""<p>{text["lead"]}</p>
<dl>{facts}</dl>
<p class="help">{text["code_help"]}</p>
<form method="post">
<button class="primary" name="decision" value="approve">{text["approve"]}</button>
<button name="decision" value="decline">{text["decline"]}</button>
<button class="quiet" name="decision" value="cancel">{text["cancel"]}</button>
</form>"""


def _comparison_code(operation: Operation) -> str:
    digits = str(int(hashlib.sha256(operation.id.encode()).hexdigest(), 16))[:6]
    return f"{digits[:3]} {digits[3:]}"


def _page(language: str, status: int, content: str) -> Reply:
    text = _TEXTS[language]
    html = f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text["title"]} · {text["bank"]}</title>
<style>{_style()}</style>
</head>
<body>
<header class="band">{text["band"]}</header>
<main>
<p class="bank">{text["bank"]}</p>
<h1>{text["title"]}</h1>
{content}
</main>
</body>
</html>
"""
    return Reply(status, html.encode(), "text/html; charset=utf-8", (*_HEADERS, ("Content-Security-Policy", _policy())))


# No frame-ancestors and no form-action: any shop may frame the page, and the redirect after the form
# leads to the shop and from there wherever the shop likes.
@cache
def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'"


@cache
def _style() -> str:
    return (Path(__file__).parent / "acs.css").read_text()


_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Vary", "Accept-Language"),
)


def _language(accepted: str) -> str:
    """German or English, whichever the browser prefers; English if it wants neither."""
    wishes = []
    for position, wish in enumerate(accepted.split(",")):
        name, _, weight = wish.strip().partition(";q=")
        try:
            wishes.append((-float(weight or 1), position, name.strip().lower()[:2]))
        except ValueError:
            continue
    return next((name for _, _, name in sorted(wishes) if name in _TEXTS), "en")
