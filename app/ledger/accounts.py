"""The accounts every merchant's books have, by code."""

from uuid import UUID, uuid5

from app.core.texts import N_

_NAMESPACE = UUID("6f1c1b7e-2f0a-5a51-9d55-7a61686c7765")

# code: (name, kind). An asset's balance is normally positive (debit), a liability's or income's negative (credit).
ACCOUNTS: dict[str, tuple[str, str]] = {
    "provider_balance": (N_("Owed by the provider"), "asset"),
    "payer_clearing": (N_("Paid by payers"), "liability"),
    "payer_credit": (N_("Credit of payers"), "liability"),
    "disputed": (N_("Disputed payments"), "asset"),
    "dispute_losses": (N_("Lost disputes"), "expense"),
    "over_returned_losses": (N_("Returned more than once"), "expense"),
    "provider_fees": (N_("Fees of providers"), "expense"),
}


def account_id(merchant_id: UUID, live: bool, code: str, currency: str, contract_id: UUID | None) -> UUID:
    """The account's id is a function of what it is, so nobody has to look it up."""
    assert code in ACCOUNTS, code
    return uuid5(_NAMESPACE, f"{merchant_id}/{live}/{code}/{currency}/{contract_id}")
