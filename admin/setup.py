"""Setting a merchant up: what is there, what is missing, and where to go next.

Nothing is remembered but what exists, so that it can be left and taken up again by anybody, at any step. While somebody
goes through the steps, their addresses carry `setup=1`; a form that was saved then leads back to the list of steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from admin import belongings
from admin.belongings import Belongings
from admin.here import here, staff
from admin.office import url
from admin.screen import go
from app.core.ids import public_id
from app.core.texts import N_
from app.merchants.add import NEW_SHOP

UNDER_WAY: Mapping[str, str] = {"setup": "1"}


@dataclass(frozen=True, slots=True)
class Step:
    """`label`, `why` and `act` are English texts. `needed`: without it no payment can be made.

    `url` None: not yet possible, or whoever asks may not do it.
    """

    name: str
    label: str
    why: str
    act: str
    done: bool
    url: str | None
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Setup:
    merchant: Mapping[str, Any]
    steps: tuple[Step, ...]

    @property
    def done(self) -> int:
        return sum(step.done for step in self.steps)

    @property
    def complete(self) -> bool:
        return self.done == len(self.steps)

    @property
    def ready(self) -> bool:
        """Payments can be made, whatever else could still be done."""
        return all(step.done for step in self.steps if step.needed)

    @property
    def next(self) -> Step | None:
        """What is missing first; what payments need comes before what only makes them nicer."""
        missing = [step for step in self.steps if not step.done]
        return next((step for step in missing if step.needed), missing[0] if missing else None)

    @property
    def address(self) -> str:
        return url("onboarding.detail", id=public_id("mer", self.merchant["id"]))


def under_way() -> bool:
    return request.args.get("setup") == UNDER_WAY["setup"]


def kept() -> dict[str, str]:
    """For the addresses of buttons and links that belong to the same step."""
    return dict(UNDER_WAY) if under_way() else {}


def onward(merchant_id: UUID, otherwise: str) -> AnyResponse:
    """After a form was saved: back to the steps while somebody goes through them."""
    return go(url("onboarding.detail", id=public_id("mer", merchant_id)) if under_way() else otherwise)


def strip(merchant: Mapping[str, Any]) -> Setup | None:
    """For the top of a step's own page; None when it was opened by itself."""
    return of(merchant, belongings.read(merchant["id"])) if under_way() else None


def of(merchant: Mapping[str, Any], has: Belongings) -> Setup:
    return Setup(merchant, (*_look(merchant, has), *_providers(merchant, has), *_software(merchant, has)))


def _look(merchant: Mapping[str, Any], has: Belongings) -> tuple[Step, ...]:
    key, mine = public_id("mer", merchant["id"]), merchant["id"]
    first = public_id("shp", has.shops[0]["id"]) if has.shops else None
    return (
        Step(
            "shop",
            N_("Shop"),
            N_("What payers see as the seller: its name, its language, who is told of payments."),
            N_("Add a shop"),
            bool(has.shops),
            _may("merchant.write", mine, "shops.add", merchant=key),
        ),
        Step(
            "look",
            N_("Look"),
            N_("Logo, colour and words of the checkout, with a live preview."),
            N_("Give it its look"),
            any(_has_a_look(shop) for shop in has.shops),
            _may("merchant.write", mine, "shops.change", id=first) if first else None,
            needed=False,
        ),
    )


def _providers(merchant: Mapping[str, Any], has: Belongings) -> tuple[Step, ...]:
    key, mine = public_id("mer", merchant["id"]), merchant["id"]
    untested = next((one for one in has.active if not _works(one, has)), None)
    tested = public_id("ctr", (untested or has.active[0])["id"]) if has.active else None
    return (
        Step(
            "contract",
            N_("Contract with a provider"),
            N_("Who authorises and captures: the credentials come from the provider's dashboard."),
            N_("Add a contract"),
            bool(has.active),
            _may("contract.write", mine, "contracts.add", merchant=key),
        ),
        Step(
            "connection",
            N_("Connection"),
            N_("One harmless call shows whether the credentials work."),
            N_("Test the connection"),
            bool(has.active) and untested is None,
            _may("contract.write", mine, "contracts.detail", id=tested) if tested else None,
        ),
        Step(
            "methods",
            N_("Ways to pay"),
            N_("What payers can choose, in which currencies, and which contract is tried first."),
            N_("Look at the ways to pay"),
            bool(has.methods()),
            _may("merchant.read", mine, "methods.detail", id=key) if has.active else None,
        ),
    )


def _software(merchant: Mapping[str, Any], has: Belongings) -> tuple[Step, ...]:
    key, mine = public_id("mer", merchant["id"]), merchant["id"]
    silent = next((one for one in has.endpoints if one["last_success_at"] is None), None)
    endpoint = public_id("whe", (silent or has.endpoints[0])["id"]) if has.endpoints else None
    steps = (
        Step(
            "endpoint",
            N_("Webhook endpoint"),
            N_("Where the shop's software hears that a payment went through."),
            N_("Add an endpoint"),
            bool(has.endpoints),
            _may("endpoint.write", mine, "endpoints.add", merchant=key),
            needed=False,
        ),
        Step(
            "heard",
            N_("Webhook test"),
            N_("A test message has arrived there and was answered."),
            N_("Send a test"),
            bool(has.endpoints) and silent is None,
            _may("endpoint.write", mine, "endpoints.detail", id=endpoint) if endpoint else None,
            needed=False,
        ),
        Step(
            "key",
            N_("API key"),
            N_("With it the shop's software asks for payments. It is shown once."),
            N_("Issue a key"),
            bool(has.keys),
            _may("api_key.write", mine, "keys.issue", merchant=key),
        ),
    )
    if here().live:
        return steps
    trial = Step(
        "trial",
        N_("Trial payment"),
        N_("A whole payment with a test card, as a payer makes it."),
        N_("Try a checkout"),
        has.has_paid,
        _may("merchant.write", mine, "onboarding.detail", id=key, _anchor="trial")
        if has.shops and has.methods()
        else None,
        needed=False,
    )
    return (*steps, trial)


def _works(contract: Mapping[str, Any], has: Belongings) -> bool:
    """A payment that went through says more than a test; a test that failed since says more than that."""
    result = contract["check_result"]
    return result == "works" or (result is None and has.has_paid)


def _has_a_look(shop: Mapping[str, Any]) -> bool:
    return bool(shop["logo"] or shop["texts"]) or shop["accent"] != NEW_SHOP["accent"]


def _may(permission: str, merchant_id: UUID, screen: str, **values: Any) -> str | None:
    return url(screen, **values, **UNDER_WAY) if staff().may(permission, merchant_id) else None
