"""Pages on the way in and beside it: second step, confirmation, links sent by mail. Each is in a file of its own."""

from typing import Any

from flask import Blueprint, render_template, url_for

from admin.guard import is_a_place_of_ours
from app.core.errors import Refusal
from app.core.problem import problem_of

entrance = Blueprint("entrance", __name__, url_prefix="/admin")


def show(template: str, *, title: str, status: int = 200, **values: Any) -> tuple[str, int]:
    """Renders `templates/office/<template>.html`, a page without the frame."""
    return render_template(f"office/{template}.html", title=title, **values), status


def said(refusal: Refusal) -> str:
    """What was refused and what to do, in one text."""
    problem = problem_of(refusal)
    return " ".join(part for part in (problem.said(), problem.advised()) if part)


def onward(wanted: str | None) -> str:
    """Where it goes on to: a place of ours, else the start page."""
    return wanted if wanted and is_a_place_of_ours(wanted) else url_for("office_start.index")
