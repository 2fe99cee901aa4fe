"""The short way to the database for the few statements that every payment runs.

Measured: SQLAlchemy's result machinery and one round trip per INSERT cost more than PostgreSQL itself
does for them. A `Statement` is compiled once and runs on the driver's own cursor; `add()` collects
INSERTs, which are sent together (psycopg's pipeline) before anything else of the transaction reads or at
its end. Both share the connection and transaction of `atomic()`; errors are SQLAlchemy's.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement

from app.core.db import on_foreign_statement, transaction, transaction_or_none

Params = Mapping[str, Any]


class Statement:
    """A Core statement or text(), compiled once. Parameters are given by name; JSON ones as Jsonb."""

    def __init__(self, clause: ClauseElement) -> None:
        self._clause = clause

    @cached_property
    def sql(self) -> bytes:
        return str(self._clause.compile(dialect=psycopg_dialect())).encode()

    def row(self, connection: Connection, params: Params) -> tuple[Any, ...] | None:
        """The first row as a plain tuple, or None."""
        return self._execute(connection, params).fetchone()

    def rows(self, connection: Connection, params: Params) -> list[tuple[Any, ...]]:
        return self._execute(connection, params).fetchall()

    def run(self, connection: Connection, params: Params) -> None:
        self._execute(connection, params)

    def _execute(self, connection: Connection, params: Params) -> psycopg.Cursor[tuple[Any, ...]]:
        flush()
        try:
            return _driver(connection).execute(self.sql, params)
        except psycopg.Error as error:
            raise _translated(self.sql, error) from error


def read_together(connection: Connection, params: Params, *statements: Statement) -> list[list[dict[str, Any]]]:
    """The rows of several statements that read with the same parameters: one round trip for all of them."""
    flush()
    sql = b""
    cursors = []
    driver = _driver(connection)
    try:
        with driver.pipeline():
            for statement in statements:
                sql = statement.sql
                cursors.append(driver.cursor(row_factory=dict_row).execute(sql, params))
        return [cursor.fetchall() for cursor in cursors]
    except psycopg.Error as error:
        raise _translated(sql, error) from error


def add(table: Table, row: Params) -> None:
    """INSERTs a row at the latest when the transaction ends; before that if anything of it reads."""
    transaction().added.append((table, row))


def flush() -> None:
    """Sends the INSERTs collected so far, all in one go."""
    work = transaction_or_none()
    if work is None or not work.added:
        return
    added, work.added = work.added, []
    driver = _driver(work.connection)
    sql = b""
    try:
        with driver.pipeline(), driver.cursor() as cursor:
            for table, row in added:
                sql, json_columns = _insert(table, tuple(row))
                cursor.execute(sql, _adapted(row, json_columns))
    except psycopg.Error as error:
        raise _translated(sql, error) from error


on_foreign_statement(flush)

_inserts: dict[tuple[str, tuple[str, ...]], tuple[bytes, frozenset[str]]] = {}


def _insert(table: Table, columns: tuple[str, ...]) -> tuple[bytes, frozenset[str]]:
    """The INSERT for these columns, and which of them hold JSON."""
    key = (table.name, columns)
    found = _inserts.get(key)
    if found is None:
        values = ", ".join(f"%({column})s" for column in columns)
        json_columns = frozenset(column for column in columns if isinstance(table.c[column].type, JSONB))
        sql = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608 - our own names
        found = _inserts[key] = (sql.encode(), json_columns)
    return found


def _adapted(row: Params, json_columns: frozenset[str]) -> Params:
    if not json_columns:
        return row
    return {
        column: Jsonb(value) if column in json_columns and value is not None else value for column, value in row.items()
    }


def _driver(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _translated(sql: bytes, error: psycopg.Error) -> Exception:
    """As if SQLAlchemy had run it; parameters are left out, they may hold personal data."""
    translated = DBAPIError.instance(
        sql.decode(), None, error, psycopg.Error, hide_parameters=True, dialect=psycopg_dialect(dbapi=psycopg)
    )
    return translated if isinstance(translated, Exception) else error
