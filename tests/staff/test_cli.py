"""`flask staff add`."""

from sqlalchemy import text

from app.approvals.usual import USUAL
from app.config import settings
from app.core.db import ALL, atomic, reading


def test_the_first_administrator_comes_from_the_command_line(app):
    runner = app.test_cli_runner()
    done = runner.invoke(args=["staff", "add", "first@example.com", "--role", "admin", "--name", "Frida"])
    assert done.exit_code == 0, done.output
    assert "first@example.com (admin)" in done.output and "password: " in done.output
    with app.app_context(), reading(ALL) as connection:
        query = text("SELECT password FROM staff_users WHERE email = 'first@example.com'")
        stored = connection.execute(query).scalar_one()
    assert stored.startswith("$argon2id$")


def test_what_is_wrong_is_said_in_one_line(app):
    runner = app.test_cli_runner()
    done = runner.invoke(args=["staff", "add", "nobody", "--role", "admin"])
    assert done.exit_code == 1 and "This is not an e-mail address." in done.output
    assert runner.invoke(args=["staff", "add", "x@example.com", "--role", "emperor"]).exit_code == 2
    short = runner.invoke(args=["staff", "add", "x@example.com", "--role", "admin", "--password", "short"])
    assert short.exit_code == 1 and "at least 12 characters" in short.output


def test_the_first_of_a_live_installation_brings_the_usual_rules(app, monkeypatch):
    runner = app.test_cli_runner()
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(text("DELETE FROM staff_users"))
    monkeypatch.setenv("FOUR_EYES", "1")
    settings.cache_clear()
    for name, brings in (("one", True), ("two", False)):
        done = runner.invoke(args=["staff", "add", f"{name}@example.com", "--role", "admin"])
        assert done.exit_code == 0 and ("rules: " in done.output) is brings
    monkeypatch.undo()
    settings.cache_clear()
    with app.app_context(), reading(ALL) as connection:
        query = text("SELECT action FROM approval_rules WHERE merchant_id IS NULL ORDER BY id")
        assert tuple(connection.execute(query).scalars()) == USUAL
