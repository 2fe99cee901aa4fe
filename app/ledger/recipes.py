"""Each way money moves, as a pure function: amounts in minor units to lines of (account, amount).

Debit positive, credit negative; every recipe sums to zero. `provider_balance` belongs to the contract.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Posting:
    """`recipe` names the function that made it."""

    recipe: str
    lines: tuple[tuple[str, int], ...]


def captured(amount: int, over: int = 0) -> Posting:
    """The provider took `amount` from the payer for the merchant; `over` of it nobody had asked for."""
    return _posting("captured", provider_balance=amount, payer_clearing=-(amount - over), payer_credit=-over)


def refunded(amount: int, over: int = 0) -> Posting:
    """The provider gave `amount` back; `over` of it had gone back already and is a loss."""
    return _posting("refunded", provider_balance=-amount, payer_clearing=amount - over, over_returned_losses=over)


def charged_back(amount: int, over: int = 0) -> Posting:
    """The provider took `amount` back for a dispute."""
    return _posting("charged_back", provider_balance=-amount, disputed=amount - over, over_returned_losses=over)


def dispute_fee(fee: int) -> Posting:
    return _posting("dispute_fee", provider_balance=-fee, provider_fees=fee)


def reversed_(amount: int, over: int = 0) -> Posting:
    """The dispute was won: the provider gave the money back."""
    return _posting("reversed", provider_balance=amount, disputed=-(amount - over), over_returned_losses=-over)


def lost(amount: int) -> Posting:
    """The dispute is over and lost: what was disputed is a loss."""
    return _posting("lost", disputed=-amount, dispute_losses=amount)


def undisputed(amount: int) -> Posting:
    """Its disputes are over, and `amount` that is left of them is the merchant's: it had been refunded meanwhile."""
    return _posting("undisputed", disputed=-amount, payer_clearing=amount)


def _posting(recipe: str, **amounts: int) -> Posting:
    return Posting(recipe, tuple((code, amount) for code, amount in amounts.items() if amount))
