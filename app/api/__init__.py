"""The door for merchants: JSON under `/v1`. One file per resource; to add one, add a file with a blueprint `api`.

A resource file reads like this:

    api = resource("payments", "What a merchant asked to be paid.")

    @api.get("/payments/<payment_id>")
    @needs("payment.read")
    @api.output(Payment)
    def get(payment_id: str) -> Response: ...

Everything that begins with an underscore, `door.py` and `news.py` are not resources.
"""

from typing import Protocol

from apiflask import APIBlueprint

from app.core.shelf import Shelf


class Resource(Protocol):
    """What a module on this shelf offers."""

    @property
    def api(self) -> APIBlueprint: ...


RESOURCES: Shelf[Resource] = Shelf("app.api", skip=frozenset({"door", "news"}))
