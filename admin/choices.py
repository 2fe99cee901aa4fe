"""What can be chosen in forms: languages, time zones, currencies, fonts and themes of shops."""

from zoneinfo import available_timezones

from app.core.texts import N_

LANGUAGES = {"de": "Deutsch", "en": "English"}

# Where our merchants are first; the rest of Europe below.
_NEAR = ("Europe/Berlin", "Europe/Vienna", "Europe/Zurich")
TIMEZONES = (
    *_NEAR,
    "UTC",
    *sorted(zone for zone in available_timezones() if zone.startswith("Europe/") and zone not in _NEAR),
)

CURRENCIES = ("EUR", "CHF", "GBP", "USD", "PLN", "CZK", "DKK", "SEK", "NOK", "JPY", "KWD")

FONTS = {
    "system": N_("The device's own"),
    "humanist": N_("Humanist"),
    "geometric": N_("Geometric"),
    "rounded": N_("Rounded"),
    "serif": N_("With serifs"),
}
THEMES = {"light": N_("Light"), "dark": N_("Dark"), "auto": N_("Like the payer's device")}

# What a shop may say on its pages, by language.
SHOP_TEXTS = {
    "welcome": N_("A sentence above the payment form"),
    "thanks": N_("A sentence after a successful payment"),
    "support": N_("How payers reach the shop, on every page"),
}
