"""Attaches the API: resources, providers' notifications, the description and its pages."""

from apiflask import APIFlask

from app.api import RESOURCES, _docs, _errors, _spec, news
from app.api._callers import needed
from app.core.web import errors_under


def attach(app: APIFlask) -> None:
    """Raises PermissionNotDeclared when a route does not say which permission it needs."""
    for resource in RESOURCES.values():
        app.register_blueprint(resource.api)
    app.register_blueprint(news.door)
    _spec.attach(app)
    app.register_blueprint(_docs.door)
    errors_under(app, "/v1", _errors.render)
    needed(app)
