"""A database or Redis server of the operator's own: DATABASE_URL and REDIS_URL.

DATABASE_URL names the login that owns the tables. The application must not use it (row-level
security would not bind it), so its own role is created beside it, or checked if it is there.
"""

from pathlib import Path

import psycopg
import redis
from psycopg import sql
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from tools.stack.errors import StackError
from tools.stack.keys import APP_PASSWORD, app_database_password
from tools.stack.roles import APP_LIMITS, APP_ROLE


def database_urls(given: str, home: Path) -> tuple[str, str]:
    """(owner's URL, application's URL) of the server behind DATABASE_URL.

    Raises StackError with the SQL to run where the owner's rights do not suffice.
    """
    owner = _parsed(given)
    password = app_database_password(home)
    with _connect(owner) as session:
        _ensure_role(session, password, home)
        _ensure_limits(session)
        _ensure_grants(session)
    app = owner.set(username=APP_ROLE, password=password)
    try:
        _connect(app).close()
    except StackError as problem:
        # A role that others made or use: its password is never changed behind their back.
        raise _please(f"ALTER ROLE {APP_ROLE} PASSWORD '...';", home, f"{problem}\n") from None
    return owner.render_as_string(hide_password=False), app.render_as_string(hide_password=False)


def _parsed(given: str) -> URL:
    try:
        url = make_url(given.replace("postgres://", "postgresql://", 1))
    except ArgumentError:
        raise StackError("DATABASE_URL is not a database URL.") from None
    if url.get_backend_name() != "postgresql":
        raise StackError("DATABASE_URL must be a PostgreSQL server: postgresql://user:password@host/database")
    return url.set(drivername="postgresql+psycopg")


def _connect(url: URL) -> psycopg.Connection:
    _, arguments = url.get_dialect()().create_connect_args(url)
    try:
        return psycopg.connect(**arguments, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as problem:
        shown = url.render_as_string(hide_password=True)
        raise StackError(f"no connection to {shown}: {str(problem).strip()}") from None


def _ensure_role(session: psycopg.Connection, password: str, home: Path) -> None:
    found = session.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [APP_ROLE]).fetchone()
    if found and found[0]:
        raise StackError(f"role {APP_ROLE} must be neither superuser nor BYPASSRLS: it would see every merchant.")
    if found:
        return
    # The password goes as its hash, so that no server log can hold it.
    hashed = session.pgconn.encrypt_password(password.encode(), APP_ROLE.encode(), b"scram-sha-256")
    role, secret = sql.Identifier(APP_ROLE), sql.Literal(hashed.decode())
    try:
        session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, secret))
    except psycopg.errors.InsufficientPrivilege:
        raise _please(f"CREATE ROLE {APP_ROLE} LOGIN PASSWORD '...';", home) from None


def _ensure_limits(session: psycopg.Connection) -> None:
    row = session.execute("SELECT rolconfig FROM pg_roles WHERE rolname = %s", [APP_ROLE]).fetchone()
    known = {entry.split("=", 1)[0].lower() for entry in (row[0] or [] if row else [])}
    missing = [f"ALTER ROLE {APP_ROLE} SET {name} = '{value}';" for name, value in APP_LIMITS if name not in known]
    try:
        for statement in missing:
            session.execute(statement)  # pyright: ignore
    except psycopg.errors.InsufficientPrivilege:
        raise StackError("a database administrator has to run:\n    " + "\n    ".join(missing)) from None


def _ensure_grants(session: psycopg.Connection) -> None:
    row = session.execute(
        "SELECT current_database(), current_user, has_schema_privilege('public', 'CREATE')"
    ).fetchone()
    assert row is not None
    database, owner = sql.Identifier(row[0]), sql.Identifier(row[1])
    if not row[2]:
        needed = sql.SQL("GRANT CREATE ON SCHEMA public TO {};").format(owner).as_string(session)
        raise StackError(f"the owner may not create tables; a database administrator has to run: {needed}")
    role = sql.Identifier(APP_ROLE)
    # Without the right to grant PostgreSQL only warns; PUBLIC usually has both anyway.
    session.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role))
    session.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))


def _please(statement: str, home: Path, reason: str = "") -> StackError:
    return StackError(
        f"{reason}a database administrator has to run:\n    {statement}\n"
        f'with the password that stands as "{APP_PASSWORD}" in {home / "keys.json"}'
    )


def check_redis(url: str) -> None:
    """Raises StackError unless a Redis or Valkey server answers."""
    try:
        client = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
        client.ping()
        client.close()
    except (redis.RedisError, ValueError) as problem:
        raise StackError(f"REDIS_URL does not lead to a Redis server: {problem}") from None
