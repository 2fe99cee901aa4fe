"""What came of testing a connection, in words."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from admin import formats
from admin.words import Word
from app.connectors.kinds import Checked, Reached
from app.core.texts import N_

WORDS: dict[str, Word] = {
    "works": Word(N_("Works"), "good", "check"),
    "refused": Word(N_("Credentials refused"), "bad", "cross-full"),
    "wrong_mode": Word(N_("Test and live mixed up"), "bad", "triangle"),
    "unreachable": Word(N_("Not reached"), "wait", "question"),
    "unclear": Word(N_("Answer not understood"), "wait", "question"),
}
_NEVER = Word(N_("Not tested"), "quiet", "ring")

_SENTENCES: dict[Reached, str] = {
    Reached.WORKS: N_("The connection works: %(provider)s takes these credentials."),
    Reached.REFUSED: N_("%(provider)s answers, but refuses these credentials. Copy them from its dashboard once more."),
    Reached.UNREACHABLE: N_(
        "%(provider)s does not answer at this address. Check the address; if it is right, try again in a moment."
    ),
    Reached.UNCLEAR: N_("Something answers at this address, but not as %(provider)s does. Check the address."),
}
_MIXED_UP = {
    True: N_("These are test credentials, or the address of a test system. A live contract needs live ones."),
    False: N_(
        "These are live credentials, or the live address: real money would move. A test contract needs test ones."
    ),
}


def badge(contract: Mapping[str, Any]) -> Markup:
    """Of a row of `contracts`."""
    return formats.badge(WORDS.get(contract["check_result"] or "", _NEVER))


def sentence(checked: Checked, provider: str, live: bool) -> str:
    """What was found, and what to do. `provider`: its name."""
    text = _MIXED_UP[live] if checked.result is Reached.WRONG_MODE else _SENTENCES[checked.result]
    said = _(text, provider=provider)
    if checked.provider_code:
        said += " " + _("It says: %(code)s.", code=checked.provider_code)
    return said


def tone(checked: Checked) -> str:
    return WORDS[checked.result.value].tone
