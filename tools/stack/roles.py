"""The two roles of the embedded database and the database itself.

The owner migrates and may clone databases for tests; the application's role is a plain one, so
that row-level security binds it.
"""

import psycopg

SUPERUSER = "postgres"
OWNER_ROLE = "zahlwerk_owner"
APP_ROLE = "zahlwerk_app"
DATABASE = "zahlwerk"

APP_LIMITS = (
    ("lock_timeout", "3s"),
    ("statement_timeout", "15s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("timezone", "UTC"),
)


def provision(session: psycopg.Connection) -> None:
    """Create what is missing of roles and database; needs a superuser in autocommit mode."""
    create_role(session, OWNER_ROLE, "LOGIN CREATEDB")
    create_role(session, APP_ROLE, "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE")
    for setting, value in APP_LIMITS:
        session.execute(f"ALTER ROLE {APP_ROLE} SET {setting} = '{value}'")  # pyright: ignore
    if not session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
        session.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}")
        session.execute(f"ALTER DATABASE {DATABASE} SET timezone = 'UTC'")


def create_role(session: psycopg.Connection, role: str, options: str) -> None:
    """Create a role unless it exists; names and options are constants of ours, never input."""
    if not session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        session.execute(f"CREATE ROLE {role} {options}")  # pyright: ignore
