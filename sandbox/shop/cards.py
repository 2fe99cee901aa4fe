"""The published test cards, shown beside the checkout. Without the sandbox acquirers there are none."""

import importlib
import importlib.util
from typing import Any

_FIRST = ("visa", "mastercard", "amex", "challenge", "insufficient_funds", "refused", "chargeback", "no_answer")


def published_cards(language: str) -> dict[str, list[dict[str, Any]]]:
    """{"first": the ones worth trying, "more": all others}, each {number, code, effect, brand}."""
    if importlib.util.find_spec("sandbox.acquirers") is None:
        return {"first": [], "more": []}
    published = importlib.import_module("sandbox.acquirers.cards").CARDS
    shown = {
        card.name: {
            "number": card.printed,
            "code": card.security_code,
            "effect": card.en if language == "en" else card.de,
            "brand": card.brand,
        }
        for card in published
    }
    first = [shown.pop(name) for name in _FIRST if name in shown]
    return {"first": first, "more": list(shown.values())}
