"""The five acquirers as data: how each behaves and which dialect it speaks."""

import os
from dataclasses import dataclass
from typing import Literal

from sandbox.acquirers import dialects
from sandbox.acquirers.cards import NewsStyle
from sandbox.acquirers.dialects import Dialect

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Letter:
    """Times are seconds. `capture_after` and `refund_after`: None answers at once, a number answers
    "pending" and does it that much later. `tells`: "late" sends notifications only for what no answer
    could carry, "all" for everything. `enquiry_after`: an operation is found by enquiry only then."""

    name: str
    about: str
    dialect: Dialect
    captures: Literal["one", "many"] = "many"
    capture_after: float | None = None
    refund_after: float | None = None
    captures_with_authorise: bool = True
    authorises_at_acs: bool = False
    tells: Literal["late", "all"] = "late"
    news: NewsStyle = "plain"
    enquiry_after: float = 0.0
    authorisation_seconds: int = 7 * DAY_SECONDS

    @property
    def api_key(self) -> str:
        return os.environ.get("ACQUIRER_API_KEY") or f"sandbox-key-of-acquirer-{self.name}"

    @property
    def news_secret(self) -> str:
        return os.environ.get("ACQUIRER_NEWS_SECRET") or f"sandbox-news-secret-of-acquirer-{self.name}"


LETTERS: dict[str, Letter] = {
    letter.name: letter
    for letter in (
        Letter("A", "Answers at once, many captures and refunds.", dialects.PLAIN),
        Letter(
            "B",
            "Captures later and tells; authorises as soon as the payer has passed 3-D Secure; tells everything.",
            dialects.CAPITALS,
            capture_after=0.5,
            captures_with_authorise=False,
            authorises_at_acs=True,
            tells="all",
        ),
        Letter(
            "C",
            "One capture, which releases the rest; answers are form-encoded.",
            dialects.FORM,
            captures="one",
        ),
        Letter(
            "D",
            "Refunds later; is found by enquiry only after two seconds; notifications twice and out of order.",
            dialects.WORDY,
            refund_after=1.0,
            enquiry_after=2.0,
            tells="all",
            news="untidy",
            authorisation_seconds=10 * DAY_SECONDS,
        ),
        Letter(
            "E",
            "Authorisations live one day and can be renewed; answers carry ISO 8583 response codes.",
            dialects.ISO_CODES,
            authorisation_seconds=DAY_SECONDS,
        ),
    )
}
