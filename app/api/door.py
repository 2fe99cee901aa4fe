"""Attaches the API: resources, providers' notifications, the description and its pages."""

from typing import Any

from apiflask import APIFlask
from flask import Flask, Request
from flask.sessions import SecureCookieSessionInterface

from app.api import RESOURCES, _docs, _errors, _metrics, _spec, news
from app.api._callers import needed
from app.core.web import errors_under


def attach(app: APIFlask) -> None:
    """Raises PermissionNotDeclared when a route does not say which permission it needs."""
    for resource in RESOURCES.values():
        app.register_blueprint(resource.api)
    app.register_blueprint(news.door)
    _spec.attach(app)
    app.register_blueprint(_docs.door)
    app.register_blueprint(_metrics.door)
    errors_under(app, "/v1", _errors.render)
    app.session_interface = _SessionsOfPeople()
    needed(app)


class _SessionsOfPeople(SecureCookieSessionInterface):
    """Programs have no session: nothing here reads or sets a cookie, and no request pays for one."""

    def open_session(self, app: Flask, request: Request) -> Any:
        if request.path.startswith(("/v1/", "/news/", "/metrics")):
            return self.make_null_session(app)
        return super().open_session(app, request)
