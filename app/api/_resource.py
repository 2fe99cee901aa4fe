"""`resource()`: a blueprint under `/v1` with everything in place that all resources share."""

from typing import Any

from apiflask import APIBlueprint

from app.api._callers import guard, show_standing

# For `@api.doc(responses=PENDING)` on routes that may answer before the outcome is known.
PENDING: Any = {202: {"description": "The outcome is not known yet. It comes as an event; or ask again."}}


def resource(name: str, about: str, *, title: str | None = None) -> APIBlueprint:
    """`about` is one English sentence for the documentation. Permissions: `@needs` on each route."""
    tag = {"name": title or name.replace("_", " ").capitalize(), "description": about}
    blueprint = APIBlueprint(name, f"app.api.{name}", url_prefix="/v1", tag=tag)
    blueprint.before_request(guard)
    blueprint.after_request(show_standing)
    return blueprint
