"""Refusals: typed answers that say what was refused, why, and what to do.

A bug is an assert, a decline of a payment is an answer; neither is a Refusal. Each refusal is a small
class in the file that raises it. Doors render them: the API as JSON, pages and screens as a sentence.
"""

from typing import ClassVar, Literal

from app.core.texts import N_

RefusalKind = Literal[
    "invalid_request", "authentication", "permission", "not_found", "conflict", "rate_limit", "provider", "unavailable"
]


class Refusal(Exception):
    """`message` and `advice` are English texts for gettext; %(name)s is filled from `values`.

    `param` names the field of the input at fault, dotted (`payment_method.card.number`).
    """

    kind: ClassVar[RefusalKind] = "invalid_request"
    status: ClassVar[int] = 422
    code: ClassVar[str] = "invalid"
    message: ClassVar[str] = N_("This cannot be done.")
    advice: ClassVar[str] = ""

    def __init__(self, *, param: str | None = None, **values: object) -> None:
        self.param = param
        self.values = values
        super().__init__(self.message % values if values else self.message)


class NotFound(Refusal):
    """Also the answer for another merchant's things: what you may not see does not exist."""

    kind = "not_found"
    status = 404
    code = "not_found"
    message = N_("There is nothing with this id.")
    advice = N_("Check the id, and whether the key is a test or a live key.")


class Conflict(Refusal):
    kind = "conflict"
    status = 409
    code = "conflict"
