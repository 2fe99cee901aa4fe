"""The door for staff: Flask-Admin's frame around our screens, Flask-Security's log-in, our guard."""

from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request, session, url_for
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from admin import cli, confirm, guard, headers, login, mailed_links, refused, second_step
from admin.entrance import entrance
from admin.here import LANGUAGE_NAMES, arrive, here, is_here
from admin.office import OFFICE
from admin.reads import attach as attach_reads
from admin.screens import SCREENS
from app.core.db import ALL, atomic
from app.core.logs import about
from app.core.problem import Problem
from app.core.texts import N_
from app.core.web import request_id
from app.staff.change import change_user

office = Blueprint(
    "office",
    __name__,
    url_prefix="/admin",
    template_folder="templates",
    static_folder="static",
    static_url_path="/assets",
)


def attach(app: Flask) -> None:
    login.attach(app, second_step.SecondStep())
    attach_reads(app)
    refused.attach(app)
    guard.attach(app, _problem_page)
    assert confirm and mailed_links and second_step, "imported for their pages"
    app.before_request(_say_who)
    app.register_blueprint(office)
    app.register_blueprint(entrance)
    app.jinja_env.globals["office"] = OFFICE
    _add_screens(app)
    app.cli.add_command(cli.staff)


def _add_screens(app: Flask) -> None:
    """Every module on the shelf; `start` is the index that Flask-Admin asks for."""
    views = {
        name: module.SCREEN(endpoint=f"office_{name}", url=_address(module.SCREEN.address))
        for name, module in SCREENS.items()
    }
    admin = Admin(
        app,
        name="Zahlwerk",
        index_view=views.pop("start"),
        theme=Bootstrap4Theme(base_template="office/base.html"),
        csp_nonce_generator=headers.nonce,
    )
    for view in views.values():
        admin.add_view(view)


def _address(below: str) -> str:
    return f"{guard.PREFIX}/{below}" if below else guard.PREFIX


def _say_who() -> None:
    """After the guard has let them in: each line of the log says who it was."""
    person = here().staff if is_here() else None
    if person is not None:
        about(actor=person.actor)


@office.post("/language")
def choose_language() -> AnyResponse:
    """The same page in the other language; remembered at the account, or in the session before the log-in."""
    wanted = request.form.get("language")
    if wanted in LANGUAGE_NAMES:
        session["language"] = wanted
        staff = here().staff
        if staff is not None:
            with atomic(ALL) as connection:
                change_user(connection, staff.id, {"language": wanted}, actor=staff.actor)
    back = request.form.get("next", "")
    return redirect(back if guard.is_a_place_of_ours(back) else url_for("security.login"), code=303)


@office.after_request
def _keep_assets(response: Response) -> Response:
    if request.endpoint == "office.static" and "v" in request.args:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


_OURS = N_("Nothing was done. Try again; if it fails once more, tell the developers the id below.")


def _problem_page(problem: Problem) -> Response:
    """Any error at an address of ours, in our look."""
    if not is_here():
        arrive()
    logged_in = here().staff is not None
    page = render_template(
        "office/problem.html",
        title=problem.said(),
        advice=_(_OURS) if problem.kind == "internal" else problem.advised(),
        status=problem.status,
        request_id=request_id(),
        back="/admin/" if logged_in else url_for("security.login"),
        back_label=_("To the start page") if logged_in else _("Log in"),
    )
    return make_response(page, problem.status)
