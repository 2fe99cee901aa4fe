"""One of several connections that fill a database at the same time."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

_SETTINGS = ("work_mem = '400MB'", "maintenance_work_mem = '400MB'", "synchronous_commit = off")

_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
WHERE i.indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid), contype FROM pg_constraint
WHERE contype = ANY (%s) AND conrelid = %s::regclass ORDER BY contype DESC
"""


class Lane:
    """The owner's connection; each statement is a transaction of its own."""

    def __init__(self, owner_url: str) -> None:
        self.connection = psycopg.connect(owner_url.replace("+psycopg", "", 1), autocommit=True)
        for setting in _SETTINGS:
            self.connection.execute(f"SET {setting}".encode())
        self.connection.execute("SELECT setseed(0.2)")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def run(self, script: str) -> None:
        """The statements of one of the scripts in this folder."""
        text = Path(__file__).with_name(script).read_text()
        title = script
        for statement in re.split(r";\n", text):
            titles = re.findall(r"^-- (.*)", statement, re.MULTILINE)
            title = titles[-1] if titles else title
            if statement.strip():
                self.execute(title, statement)

    @contextmanager
    def without_indexes(self, *tables: str, told: bool = False) -> Iterator[None]:
        """Takes indexes, references and triggers away (with `told` not the triggers), and puts them back as they were.

        That checks every row once, at the end.
        """
        again: list[tuple[str, str]] = []
        for table in tables:
            if not told:
                self.connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
            again += self._taken_away(table)
        yield
        for title, statement in sorted(again, key=lambda one: "REFERENCES" in one[1]):
            self.execute(title, statement)
        for table in tables:
            self.connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))

    def _taken_away(self, table: str) -> list[tuple[str, str]]:
        """Drops them. Returns what puts them back."""
        again = []
        for name, definition in self.connection.execute(_INDEXES, [table]).fetchall():
            self.connection.execute(f"DROP INDEX {name}".encode())
            again.append((name, definition))
        for name, definition, _kind in self.connection.execute(_CONSTRAINTS, [["f"], table]).fetchall():
            self.connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
            again.append((name, f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"))
        return again

    def settle(self, *tables: str) -> None:
        """As after a night: statistics, and pages known to be visible to all."""
        self.execute(f"vacuum of {', '.join(tables)}", f"VACUUM (ANALYZE, PARALLEL 0) {', '.join(tables)}")

    def execute(self, title: str, statement: str) -> None:
        with self.timed(title):
            self.connection.execute(statement.encode())

    @contextmanager
    def timed(self, title: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        seconds = time.perf_counter() - begun
        if seconds > 2:
            print(f"fill: {title} ({seconds:.0f} s)", flush=True)
