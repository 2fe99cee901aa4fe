"""The published test cards and amounts: what each makes a sandbox acquirer do.

One table for the acquirers, the documentation and the demo shop. Cards decide how an authorisation
goes; the last four digits of an amount decide how a capture, refund, cancel or renewal goes. Any date
in the future is a good expiry. A number that is not in the table is declined as a wrong number, so
that nobody's real card ever "works" here.
"""

from dataclasses import dataclass
from typing import Literal

# authorise: what is decided.
Outcome = Literal[
    "approve", "decline", "pending", "pending_decline", "challenge", "challenge_fails", "challenge_always"
]
# What happens on the wire. "silence", "close" and "busy" do nothing at all; the others do it first.
Effect = Literal["slow", "very_slow", "no_answer", "garbled", "unknown_word", "broken", "silence", "close", "busy"]
NewsStyle = Literal["plain", "duplicate", "reordered", "late", "untidy"]
Turn = Literal["inquiry", "charged_back", "reversed", "lost"]

FUTURE_EXPIRY = (12, 2034)


@dataclass(frozen=True, slots=True)
class PublishedCard:
    """`name` is stable: journals keep it. `registers` is False where storing the card is declined too."""

    name: str
    number: str
    en: str
    de: str
    brand: str = "visa"
    outcome: Outcome = "approve"
    reason: str | None = None
    effect: Effect | None = None
    news: NewsStyle | None = None
    dispute: tuple[Turn, ...] = ()
    funding: str = "credit"
    country: str = "DE"
    registers: bool = True

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def security_code(self) -> str:
        """A code of the right length; the acquirers accept any."""
        return "1234" if self.brand == "amex" else "123"

    @property
    def printed(self) -> str:
        """As on the card: 4242 4242 4242 4242, American Express 3782 822463 10005."""
        n = self.number
        groups = (n[:4], n[4:10], n[10:]) if self.brand == "amex" else (n[:4], n[4:8], n[8:12], n[12:])
        return " ".join(groups)


@dataclass(frozen=True, slots=True)
class PublishedAmount:
    """`ending`: the last four digits of the amount in minor units, so 66.01 EUR, 6601 JPY, 6.601 KWD."""

    ending: int
    en: str
    de: str
    outcome: Literal["approve", "decline", "pending", "pending_decline"] = "approve"
    effect: Effect | None = None
    news: NewsStyle | None = None


def _declined(
    name: str, number: str, en: str, de: str, brand: str = "visa", reason: str | None = None
) -> PublishedCard:
    return PublishedCard(name, number, en, de, brand, "decline", reason or name)


def _unstorable(name: str, number: str, en: str, de: str) -> PublishedCard:
    return PublishedCard(name, number, en, de, outcome="decline", reason=name, registers=False)


def _effect(name: Effect, number: str, en: str, de: str) -> PublishedCard:
    return PublishedCard(name, number, en, de, effect=name)


CARDS: tuple[PublishedCard, ...] = (
    # Approved
    PublishedCard("visa", "4242424242424242", "Approved", "Genehmigt"),
    PublishedCard("visa_classic", "4111111111111111", "Approved", "Genehmigt"),
    PublishedCard("visa_debit", "4000056655665556", "Approved, debit", "Genehmigt, Debitkarte", funding="debit"),
    PublishedCard("visa_austria", "4000000400000008", "Approved, Austria", "Genehmigt, Österreich", country="AT"),
    PublishedCard("mastercard", "5555555555554444", "Approved", "Genehmigt", "mastercard"),
    PublishedCard("mastercard_2", "2223003122003222", "Approved, 2-series", "Genehmigt, 2er-Serie", "mastercard"),
    PublishedCard(
        "mastercard_debit",
        "5200828282828210",
        "Approved, debit",
        "Genehmigt, Debitkarte",
        "mastercard",
        funding="debit",
    ),
    PublishedCard(
        "mastercard_prepaid",
        "5105105105105100",
        "Approved, prepaid",
        "Genehmigt, Prepaid",
        "mastercard",
        funding="prepaid",
    ),
    PublishedCard("amex", "378282246310005", "Approved, 4-digit code", "Genehmigt, vierstelliger Code", "amex"),
    PublishedCard("amex_2", "371449635398431", "Approved, 4-digit code", "Genehmigt, vierstelliger Code", "amex"),
    # Declined
    _declined("refused", "4000000000000002", "Declined without a reason", "Abgelehnt ohne Grund"),
    _declined("insufficient_funds", "4000000000009995", "Insufficient funds", "Deckung reicht nicht"),
    _declined("do_not_honour", "4000000000100018", "Do not honour", "Bank lehnt ab"),
    _declined("limit_exceeded", "4000000000100034", "Card limit exceeded", "Kartenlimit überschritten"),
    _declined("suspected_fraud", "4000000000100042", "Suspected fraud", "Betrugsverdacht"),
    _declined("not_permitted", "4000000000100059", "Not permitted", "Nicht erlaubt"),
    _declined("currency_not_supported", "4000000000100075", "Currency not supported", "Währung nicht möglich"),
    _declined("amount_not_allowed", "4000000000100083", "Amount not allowed", "Betrag nicht möglich"),
    _declined("stop_recurring", "4000000000100091", "Never try again (stop code)", "Nie wieder versuchen (Stoppcode)"),
    _declined("amex_declined", "378282246300014", "Do not honour", "Bank lehnt ab", "amex", "do_not_honour"),
    _declined(
        "mastercard_funds",
        "5555555555000026",
        "Insufficient funds",
        "Deckung reicht nicht",
        "mastercard",
        "insufficient_funds",
    ),
    _unstorable("card_expired", "4000000000000069", "Expired card", "Karte abgelaufen"),
    _unstorable("invalid_number", "4000000000100026", "Wrong number", "Falsche Nummer"),
    _unstorable("invalid_security_code", "4000000000000127", "Wrong security code", "Falsche Prüfziffer"),
    _unstorable("lost_card", "4000000000009987", "Lost card", "Verlorene Karte"),
    _unstorable("stolen_card", "4000000000009979", "Stolen card", "Gestohlene Karte"),
    _unstorable("account_closed", "4000000000100067", "Account closed", "Konto geschlossen"),
    # 3-D Secure. A charge without the payer passes "challenge" and gets a soft decline from "challenge_always".
    PublishedCard("challenge", "4000000000003220", "3-D Secure", "3-D Secure", outcome="challenge"),
    PublishedCard("challenge_mastercard", "5555555555000034", "3-D Secure", "3-D Secure", "mastercard", "challenge"),
    PublishedCard("challenge_amex", "378282246300022", "3-D Secure", "3-D Secure", "amex", "challenge"),
    PublishedCard(
        "challenge_fails",
        "4000008400001637",
        "3-D Secure that always fails",
        "3-D Secure, das immer scheitert",
        outcome="challenge_fails",
        reason="authentication_failed",
    ),
    PublishedCard(
        "challenge_always",
        "4000002760003184",
        "3-D Secure every time; without the payer a soft decline",
        "3-D Secure jedes Mal; ohne Zahler eine weiche Ablehnung",
        outcome="challenge_always",
        reason="authentication_required",
    ),
    PublishedCard(
        "challenge_always_mastercard",
        "5555555555000018",
        "3-D Secure every time; without the payer a soft decline",
        "3-D Secure jedes Mal; ohne Zahler eine weiche Ablehnung",
        "mastercard",
        outcome="challenge_always",
        reason="authentication_required",
    ),
    # The answer comes later, twice, or not at all
    PublishedCard("pending", "4000000000100109", "Approved later", "Später genehmigt", outcome="pending"),
    PublishedCard(
        "pending_decline",
        "4000000000100117",
        "Declined later",
        "Später abgelehnt",
        outcome="pending_decline",
        reason="do_not_honour",
    ),
    _effect("slow", "4000000000100125", "Approved after 300 ms", "Genehmigt nach 300 ms"),
    _effect("very_slow", "4000000000100133", "Approved after 5 s", "Genehmigt nach 5 s"),
    _effect("no_answer", "4000000000100141", "Approved, but no answer", "Genehmigt, ohne Antwort"),
    _effect("silence", "4000000000100158", "Nothing happens, no answer", "Nichts passiert, keine Antwort"),
    _effect("garbled", "4000000000100166", "Approved, garbled answer", "Genehmigt, Antwort unlesbar"),
    _effect(
        "unknown_word", "4000000000100174", "Approved, answer in unknown words", "Genehmigt, Antwort unverständlich"
    ),
    _effect("broken", "4000000000100182", "Approved, answer 500", "Genehmigt, Antwort 500"),
    _effect("close", "4000000000100190", "Down: connection closed", "Ausfall: Verbindung getrennt"),
    _effect("busy", "4000000000100208", "Down: 503, not processed", "Ausfall: 503, nicht verarbeitet"),
    # Notifications
    PublishedCard("news_duplicate", "4000000000100216", "Notifications twice", "Meldungen doppelt", news="duplicate"),
    PublishedCard(
        "news_reordered", "4000000000100224", "Notifications out of order", "Meldungen vertauscht", news="reordered"
    ),
    PublishedCard(
        "news_late",
        "4000000000100232",
        "Approved later, notified late",
        "Später genehmigt, spät gemeldet",
        outcome="pending",
        news="late",
    ),
    # Disputes, some seconds after the capture
    PublishedCard("inquiry", "4000000000100240", "Inquiry", "Rückfrage", dispute=("inquiry",)),
    PublishedCard("chargeback", "4000000000000259", "Chargeback", "Rückbelastung", dispute=("charged_back",)),
    PublishedCard(
        "inquiry_chargeback",
        "4000000000100257",
        "Inquiry, then chargeback",
        "Rückfrage, dann Rückbelastung",
        dispute=("inquiry", "charged_back"),
    ),
    PublishedCard(
        "chargeback_reversed",
        "4000000000100265",
        "Chargeback, later won",
        "Rückbelastung, später gewonnen",
        dispute=("charged_back", "reversed"),
    ),
    PublishedCard(
        "chargeback_lost",
        "4000000000100273",
        "Chargeback, later lost",
        "Rückbelastung, später verloren",
        dispute=("charged_back", "lost"),
    ),
)

AMOUNTS: tuple[PublishedAmount, ...] = (
    PublishedAmount(6601, "Declined", "Abgelehnt", outcome="decline"),
    PublishedAmount(6602, "Done after 300 ms", "Erledigt nach 300 ms", effect="slow"),
    PublishedAmount(6603, "Done after 5 s", "Erledigt nach 5 s", effect="very_slow"),
    PublishedAmount(6604, "Done, but no answer", "Erledigt, ohne Antwort", effect="no_answer"),
    PublishedAmount(6605, "Nothing happens, no answer", "Nichts passiert, keine Antwort", effect="silence"),
    PublishedAmount(6606, "Done, garbled answer", "Erledigt, Antwort unlesbar", effect="garbled"),
    PublishedAmount(6607, "Done later", "Später erledigt", outcome="pending"),
    PublishedAmount(6608, "Declined later", "Später abgelehnt", outcome="pending_decline"),
    PublishedAmount(6609, "Done, notifications twice", "Erledigt, Meldungen doppelt", news="duplicate"),
    PublishedAmount(6610, "Done, answer in unknown words", "Erledigt, Antwort unverständlich", effect="unknown_word"),
    PublishedAmount(6611, "Down: connection closed", "Ausfall: Verbindung getrennt", effect="close"),
    PublishedAmount(6612, "Down: 503, not processed", "Ausfall: 503, nicht verarbeitet", effect="busy"),
    PublishedAmount(6613, "Done, answer 500", "Erledigt, Antwort 500", effect="broken"),
)

# What every number outside the table is treated as.
UNLISTED = PublishedCard(
    "unlisted", "", "Not a test card", "Keine Testkarte", outcome="decline", reason="invalid_number", registers=False
)

CARD_BY_NAME = {card.name: card for card in (*CARDS, UNLISTED)}
CARD_BY_NUMBER = {card.number: card for card in CARDS}
_AMOUNT_BY_ENDING = {amount.ending: amount for amount in AMOUNTS}
ORDINARY = PublishedAmount(0, "Done", "Erledigt")


def amount_rule(minor: int) -> PublishedAmount:
    """The rule for a capture, refund, cancel or renewal of this many minor units."""
    return _AMOUNT_BY_ENDING.get(minor % 10_000, ORDINARY)
