"""`flask staff ...`: users from the command line, the first administrator among them."""

import secrets

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app.approvals.usual import add_usual_rules
from app.config import settings
from app.core.db import ALL, atomic
from app.core.errors import Refusal
from app.staff.add import USERS, add_user
from app.staff.roles import ROLES

staff = AppGroup("staff", help="People who work in the back office.")

ACTOR = "cli"


@staff.command("add")
@click.argument("email")
@click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(sorted(ROLES)), help="Can be repeated."
)
@click.option("--name", default=None)
@click.option("--password", default=None, help="Left out: one is made up and printed.")
def add(email: str, roles: tuple[str, ...], name: str | None, password: str | None) -> None:
    """Adds a user who can log in at once. The first of a live installation brings the usual rules for approvals."""
    made_up = secrets.token_urlsafe(15)
    try:
        with atomic(ALL) as connection:
            first = connection.execute(select(USERS.c.id).limit(1)).first() is None
            add_user(connection, email=email, password=password or made_up, roles=roles, name=name, actor=ACTOR)
            added = add_usual_rules(connection, actor=ACTOR) if first and settings().usual_rules else 0
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo(f"{email} ({', '.join(roles)})")
    if added:
        click.echo(f"{added} rules: what sends money or secrets elsewhere takes two. Add a second person the same way.")
    if password is None:
        click.echo(f"password: {made_up}")
