"""The database, and the only two ways to use it: `reading(scope)` and `atomic(scope)`.

Row-level security shows a transaction only what its scope names; without a scope nothing of any
merchant is visible. `atomic()` is the only way to write: one connection and one transaction for ORM
and Core, no nesting but `savepoint()`, and no call to the outside while it is open.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import psycopg
from flask import has_app_context
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Connection, DateTime, MetaData, Table, Text, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, registry

from app.core import http


class Base(DeclarativeBase):
    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={
            datetime: DateTime(timezone=True),
            dict[str, Any]: JSONB,
            list[Any]: JSONB,
            str: Text,
            int: BigInteger,
        },
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

if TYPE_CHECKING:

    class Model(Base):
        __abstract__ = True
else:
    Model = db.Model


def table_of(model: type[Model]) -> Table:
    """The table of a model, for Core statements."""
    return cast(Table, model.__table__)


class OfMerchant:
    """Columns of a table that belongs to one merchant, in test or live mode; guarded by row-level security."""

    merchant_id: Mapped[UUID] = mapped_column(nullable=False)
    live: Mapped[bool] = mapped_column(nullable=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a transaction sees. None means all; the API narrows both, staff and jobs state theirs."""

    merchants: frozenset[UUID] | None
    live: bool | None

    def admits(self, merchant_id: UUID) -> bool:
        return self.merchants is None or merchant_id in self.merchants


ALL = Scope(merchants=None, live=None)


def of(merchant_id: UUID, live: bool) -> Scope:
    """The scope of one merchant in one mode."""
    return Scope(frozenset({merchant_id}), live)


@dataclass
class Transaction:
    """What an open `atomic()` carries: events told in it and what to do once it is committed."""

    scope: Scope
    connection: Connection
    told: list[dict[str, Any]] = field(default_factory=list)
    added: list[tuple[Table, Mapping[str, Any]]] = field(default_factory=list)  # see core/fast.py
    posted: bool = False  # did the ledger write? then its deferred checks run before the commit
    after_commit: list[Callable[[], None]] = field(default_factory=list)


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)
_transaction: ContextVar[Transaction | None] = ContextVar("transaction", default=None)
_before_commit: list[Callable[[Transaction], None]] = []


def before_commit(hook: Callable[[Transaction], None]) -> Callable[[Transaction], None]:
    """Registers what runs at the end of every `atomic()`, inside it (core/events.py writes what was told)."""
    _before_commit.append(hook)
    return hook


@contextmanager
def atomic(scope: Scope) -> Iterator[Connection]:
    """One transaction, committed at the end of the block or rolled back whole by any exception."""
    assert _transaction.get() is None, "atomic() does not nest; use savepoint()"
    session = db.session()
    if session.new or session.dirty or session.deleted:
        session.rollback()
        raise AssertionError("objects were changed before atomic(); change them inside")
    session.rollback()  # ends the open read transaction and expires what it had loaded
    scope_token = _scope.set(scope)
    work_token = None
    try:
        work = Transaction(scope, connection=None)  # type: ignore[arg-type]  # set in the next two lines
        work_token = _transaction.set(work)
        work.connection = session.connection()
        yield work.connection
        session.flush()
        for hook in _before_commit:
            hook(work)
        if work.posted:
            work.connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        if work_token is not None:
            _transaction.reset(work_token)
        _scope.reset(scope_token)
    for callback in work.after_commit:
        callback()


def transaction_or_none() -> Transaction | None:
    return _transaction.get()


def transaction() -> Transaction:
    """The open `atomic()`. Fails when there is none: whoever asks wants to write."""
    work = _transaction.get()
    assert work is not None, "only inside atomic()"
    return work


@contextmanager
def savepoint() -> Iterator[Connection]:
    """The only nesting: what happens in the block is undone alone when it raises."""
    work = transaction()
    told_before = len(work.told)
    try:
        db.session.flush()
        with work.connection.begin_nested():
            yield work.connection
            work.connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            work.connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")
    except BaseException:
        del work.told[told_before:]
        raise


@contextmanager
def reading(scope: Scope) -> Iterator[Connection]:
    """A read-only transaction of that scope (PostgreSQL itself refuses writes), given back at the end.

    Inside `atomic()` it reads in that transaction, under its scope.
    """
    work = _transaction.get()
    if work is not None:
        yield work.connection
        return
    session = db.session()
    assert not (session.new or session.dirty or session.deleted), "objects were changed outside atomic()"
    session.rollback()
    token = _scope.set(scope)
    try:
        yield session.connection()
    finally:
        _scope.reset(token)
        session.rollback()


def narrow(scope: Scope) -> None:
    """From here on the open `reading()` shows what that scope does. The one who opened it takes it back."""
    assert _transaction.get() is None and _scope.get() is not None, "only inside reading()"
    db.session().rollback()
    _scope.set(scope)


@contextmanager
def single() -> Iterator[Connection]:
    """For one statement that needs no scope and no transaction: one round trip instead of three."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


def current_scope() -> Scope | None:
    return _scope.get()


@event.listens_for(Session, "after_begin")
def _apply_scope(session: Session, transaction_: object, connection: Connection) -> None:
    """Every transaction starts with its scope; row-level security reads these settings."""
    scope = _scope.get()
    if scope is None:
        return
    merchants = "all" if scope.merchants is None else ",".join(str(merchant) for merchant in scope.merchants)
    live = "any" if scope.live is None else "true" if scope.live else "false"
    begin = "BEGIN READ ONLY" if _transaction.get() is None else "BEGIN"
    # One round trip for the beginning and the scope; the values are ids and words of our own. psycopg sees
    # that a transaction is open and does not begin another.
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    result = driver.pgconn.exec_(
        f"{begin}; SELECT set_config('zahlwerk.merchants', '{merchants}', true),"
        f" set_config('zahlwerk.live', '{live}', true)".encode()
    )
    if result.status != psycopg.pq.ExecStatus.TUPLES_OK:
        message = (result.error_message or b"").decode(errors="replace")
        raise OperationalError("BEGIN", None, psycopg.OperationalError(message))


@event.listens_for(Session, "before_commit")
def _refuse_foreign_commits(session: Session) -> None:
    """Libraries that commit by themselves (Flask-Admin, Flask-Security) must go through atomic() too."""
    if _transaction.get() is None and (session.new or session.dirty or session.deleted):
        raise AssertionError("a commit outside atomic() would have written; wrap it")


@event.listens_for(Session, "before_flush")
def _refuse_foreign_flushes(session: Session, *_: object) -> None:
    if _transaction.get() is None and (session.new or session.dirty or session.deleted):
        raise AssertionError("a flush outside atomic() would have written; wrap it")


_on_foreign_statement: list[Callable[[], None]] = []


def on_foreign_statement(run: Callable[[], None]) -> None:
    """Registers what must happen before SQLAlchemy runs a statement (core/fast.py sends what it collected)."""
    _on_foreign_statement.append(run)


@event.listens_for(Engine, "before_execute")
def _refuse_foreign_statements(connection: Connection, clause: Any, *_: object) -> None:
    for run in _on_foreign_statement:
        run()
    if getattr(clause, "is_dml", False) and _transaction.get() is None and _guarded(connection):
        raise AssertionError("INSERT, UPDATE or DELETE outside atomic()")


def _guarded(connection: Connection) -> bool:
    """Migrations and benches use connections of their own; the product's engine is guarded."""
    return bool(connection.engine.dialect.name == "postgresql" and connection.get_execution_options().get("guarded"))


def _no_call_inside_a_transaction() -> None:
    """Installed as `http.before_call`: no row stays locked and no pooled connection is held during a call."""
    assert _transaction.get() is None, "no call outside while a transaction is open"
    end_reading()


def end_reading() -> None:
    """Gives an open read transaction's connection back to the pool, if this thread has one."""
    if has_app_context() and db.session.registry.has() and db.session().in_transaction():
        db.session().rollback()


def refuse_inside_transaction() -> None:
    """For the other ways out (SMTP, SFTP): the same rule as for HTTP."""
    _no_call_inside_a_transaction()


http.before_call = _no_call_inside_a_transaction


def ping() -> None:
    """Raises when the database cannot be reached (readiness)."""
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
