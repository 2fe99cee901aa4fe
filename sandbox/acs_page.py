"""The page on which a payer passes 3-D Secure at a stand-in. No script, no cookie, may be framed by anyone."""

from flask import Response, render_template_string, request

_WORDS = {
    "de": {
        "title": "Zahlung bestätigen",
        "about": "Testseite der Bank: Hier würde Ihre Bank prüfen, ob Sie es sind.",
        "amount": "Betrag in kleinsten Einheiten",
        "pass": "Bestätigen",
        "fail": "Ablehnen",
        "over": "Diese Prüfung ist abgeschlossen.",
        "back": "Zurück zum Shop",
    },
    "en": {
        "title": "Confirm the payment",
        "about": "Test page of the bank: here your bank would check that it is you.",
        "amount": "Amount in minor units",
        "pass": "Confirm",
        "fail": "Refuse",
        "over": "This check is over.",
        "back": "Back to the shop",
    },
}
_PAGE = """<!doctype html>
<html lang="{{ language }}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ words.title }}</title><style>
body{font:16px/1.5 system-ui,sans-serif;margin:0;padding:24px;color:#1a2233;background:#fff}
main{max-width:26rem;margin:auto}h1{font-size:1.25rem}dd{margin:0;font-weight:600}
button{font:inherit;padding:.7rem 1.2rem;margin:.5rem .5rem 0 0;border-radius:8px;border:1px solid #1a2233;
background:#fff;color:#1a2233;cursor:pointer}button.yes{background:#1a4fd6;border-color:#1a4fd6;color:#fff}
</style></head><body><main><h1>{{ words.title }} · {{ provider }}</h1>
{% if still_open %}<p>{{ words.about }}</p>
{% if amount %}<dl><dt>{{ words.amount }}</dt><dd>{{ amount }}</dd></dl>{% endif %}
<form method="post"><button class="yes" name="choice" value="pass">{{ words.pass }}</button>
<button name="choice" value="fail">{{ words.fail }}</button></form>
{% else %}<p>{{ words.over }}</p><form method="post"><button name="choice" value="back">{{ words.back }}</button></form>
{% endif %}</main></body></html>"""


def acs_page(provider: str, amount: str | None, still_open: bool) -> Response:
    language = request.accept_languages.best_match(_WORDS, "de")
    html = render_template_string(
        _PAGE, language=language, words=_WORDS[language], provider=provider, amount=amount, still_open=still_open
    )
    return Response(html, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
