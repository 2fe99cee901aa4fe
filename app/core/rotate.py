"""Rotation of the keys that seal: every sealed column is sealed anew with the newest key, while the product runs.

What is sealed with which key stands in the first byte of each value, so there is nothing to remember: who is
interrupted starts again and finds what is left. Rows that somebody holds are passed over and met in the next pass.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, func, or_, select, tuple_, update

from app.core import vault
from app.core.db import ALL, Model, atomic, reading
from app.core.events import tell
from app.core.ids import uuid7
from app.core.ring import ring

ROWS_AT_ONCE = 200
BYTES_AT_ONCE = 8_000_000  # a document alone may have 20 MB
_SCANNED_AT_ONCE = 20_000
_PASSES = 20  # rows that somebody held in all of them are left to the next call
_BETWEEN_PASSES_SECONDS = 0.5

Key = tuple[Any, ...]
Progress = Callable[[str, int], None]  # told after each batch: table, rows of it sealed anew so far


@dataclass
class Outcome:
    """`anew`: rows by table. `broken`: rows by table that could not be opened. `left`: values by old key."""

    anew: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    left: Counter[int] = field(default_factory=Counter)

    def may_be_taken_out(self) -> list[int]:
        """Keys of the ring that nothing in the database needs any more."""
        return [number for number in sorted(ring()) if number != max(ring()) and not self.left[number]]


def sealed_columns() -> dict[Table, list[Column[Any]]]:
    """Every sealed column, by table; the models say which these are."""
    found = {table: [one for one in table.columns if "sealed" in one.info] for table in Model.metadata.sorted_tables}
    return {table: columns for table, columns in found.items() if columns}


def in_use() -> dict[str, Counter[int]]:
    """`table.column` -> how many values are sealed with which key."""
    found = {}
    for table, columns in sealed_columns().items():
        for column in columns:
            number = func.get_byte(column, 0)
            query = select(number, func.count()).where(func.octet_length(column) > 0).group_by(number)
            with _patiently() as connection:
                rows = connection.execute(query).all()
            found[f"{table.name}.{column.name}"] = Counter({row[0]: row[1] for row in rows})
    return found


def rotate(*, actor: str, progress: Progress = lambda table, rows: None, rows_at_once: int = ROWS_AT_ONCE) -> Outcome:
    """Seals with the newest key of the ring whatever an older one sealed. Tells `keys.rotated` if it did anything."""
    outcome, newest = Outcome(), max(ring())
    for table, columns in sealed_columns().items():
        for _ in range(_PASSES):
            held = broken = 0
            for keys in _batches(table, columns, newest, rows_at_once):
                anew, unreadable = _seal_anew(table, columns, newest, keys)
                held, broken = held + len(keys) - anew - unreadable, broken + unreadable
                outcome.anew[table.name] += anew
                progress(table.name, outcome.anew[table.name])
            outcome.broken[table.name] = broken
            if not held:
                break
            time.sleep(_BETWEEN_PASSES_SECONDS)
    outcome.left = sum(in_use().values(), Counter())
    del outcome.left[newest]
    if outcome.anew.total():
        _tell(outcome, newest, actor)
    return outcome


def _batches(table: Table, columns: Sequence[Column[Any]], newest: int, rows_at_once: int) -> Iterator[list[Key]]:
    """Primary keys of rows with something that an older key sealed, in handfuls that fit into memory."""
    primary = list(table.primary_key.columns)
    query = select(*primary, _size(columns)).where(or_(*(_older(one, newest) for one in columns))).order_by(*primary)
    after: Key | None = None
    while True:
        page = query if after is None else query.where(tuple_(*primary) > tuple_(*after))
        with _patiently() as connection:
            rows = [tuple(row) for row in connection.execute(page.limit(_SCANNED_AT_ONCE))]
        batch: list[Key] = []
        taken = 0
        for *key, bytes_ in rows:
            if batch and (len(batch) == rows_at_once or taken + bytes_ > BYTES_AT_ONCE):
                yield batch
                batch, taken = [], 0
            batch.append(tuple(key))
            taken += bytes_
        if batch:
            yield batch
        if len(rows) < _SCANNED_AT_ONCE:
            return
        after = rows[-1][:-1]


def _size(columns: Sequence[Column[Any]]) -> ColumnElement[int]:
    first, *more = (func.coalesce(func.octet_length(column), 0) for column in columns)
    for one in more:
        first = first + one
    return first


def _older(column: Column[Any], newest: int) -> ColumnElement[bool]:
    """Neither empty (forgotten) nor sealed with the newest key. Only the first byte is read."""
    return and_(func.octet_length(column) > 0, func.substring(column, 1, 1) != bytes([newest]))


def _seal_anew(table: Table, columns: Sequence[Column[Any]], newest: int, keys: Sequence[Key]) -> tuple[int, int]:
    """One short transaction: rows sealed anew, and rows that could not be opened."""
    primary = list(table.primary_key.columns)
    query = select(table).where(tuple_(*primary).in_(keys)).with_for_update(skip_locked=True)
    done = broken = 0
    with atomic(ALL) as connection:
        for row in connection.execute(query).mappings().all():
            try:
                values = {one.name: _again(one, dict(row)) for one in columns if _is_older(row[one], newest)}
            except vault.CannotOpen:
                broken += 1
                continue
            if values:
                mine = and_(*(column == row[column] for column in primary))
                connection.execute(update(table).where(mine).values(values))
                done += 1
    return done, broken


def _is_older(value: bytes | None, newest: int) -> bool:
    return bool(value) and bytes(value)[0] != newest


def _again(column: Column[Any], row: dict[str, Any]) -> bytes:
    bound_to: vault.Context = column.info["sealed"]
    context = bound_to if isinstance(bound_to, str) else bound_to(row)
    return vault.seal(vault.unseal(bytes(row[column.name]), context), context)


@contextmanager
def _patiently() -> Iterator[Connection]:
    """Reads across whole tables."""
    with reading(ALL) as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = '10min'")
        yield connection


def _tell(outcome: Outcome, newest: int, actor: str) -> None:
    with atomic(ALL):
        tell(
            "keys.rotated",
            subject=("keys", uuid7()),
            merchant_id=None,
            live=None,
            audience="staff",
            data={
                "newest": newest,
                "anew": dict(outcome.anew),
                "left": {str(one): n for one, n in outcome.left.items()},
            },
            actor=actor,
        )
