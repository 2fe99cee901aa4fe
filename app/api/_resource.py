"""`resource()`: a blueprint under `/v1` with everything in place that all resources share."""

from apiflask import APIBlueprint

from app.api._callers import guard, show_standing


def resource(name: str, about: str, *, title: str | None = None) -> APIBlueprint:
    """`about` is one English sentence for the documentation. Permissions: `@needs` on each route."""
    tag = {"name": title or name.replace("_", " ").capitalize(), "description": about}
    blueprint = APIBlueprint(name, f"app.api.{name}", url_prefix="/v1", tag=tag)
    blueprint.before_request(guard)
    blueprint.after_request(show_standing)
    return blueprint
