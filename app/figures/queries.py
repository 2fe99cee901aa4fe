"""Reading figures of a period. What is seen follows from the transaction's scope; `merchants` narrows it further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, TextClause, text

from app.figures import rows
from app.figures.periods import Bucket, pieces


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose figures: one mode, and of `merchants` only unless None."""

    live: bool
    merchants: Sequence[UUID] | None = None


def money(connection: Connection, wanted: Wanted, buckets: Sequence[Bucket]) -> Sequence[RowMapping]:
    """Rows (bucket, currency, and MoneyFigures' counts and amounts), only those with something in them."""
    found = connection.execute(_money(wanted.merchants is not None), _given(wanted, buckets))
    return found.mappings().all()


def attempts(connection: Connection, wanted: Wanted, whole: Bucket) -> Sequence[RowMapping]:
    """Attempts of the whole period counted four times: by contract, method, country, and by code where declined.

    Rows (by, key, provider, label, outcome, attempts); `provider` and `label` are those of a contract.
    """
    found = connection.execute(_attempts(wanted.merchants is not None), _given(wanted, [whole]))
    return found.mappings().all()


def depths(connection: Connection, buckets: Sequence[Bucket]) -> Sequence[RowMapping]:
    """Rows (bucket, queue, deepest)."""
    given = {name: [getattr(bucket, name) for bucket in buckets] for name in ("starts", "ends")}
    return connection.execute(_DEPTHS, given).mappings().all()


def latest_depths(connection: Connection) -> Sequence[RowMapping]:
    """Rows (queue, latest, measured_at) of the newest measure of each queue."""
    return connection.execute(_LATEST).mappings().all()


# Each piece is read by itself (OFFSET 0 keeps it so): by its index, whatever the planner thinks of their number.
_PIECES = (
    "unnest(CAST(:buckets AS int[]), CAST(:spans AS text[]), CAST(:starts AS timestamptz[]),"
    " CAST(:ends AS timestamptz[])) AS p (bucket, span, starts, ends)"
)
_INSIDE = "f.span = p.span AND f.starts_at >= p.starts AND f.starts_at < p.ends AND f.live = :live{narrowed} OFFSET 0"
_OF_MERCHANTS = " AND f.merchant_id = ANY (CAST(:merchants AS uuid[]))"


def _given(wanted: Wanted, buckets: Sequence[Bucket]) -> Mapping[str, Any]:
    parts = pieces(buckets)
    given: dict[str, Any] = {
        "live": wanted.live,
        "buckets": [part.bucket for part in parts],
        "spans": [part.span for part in parts],
        "starts": [part.starts for part in parts],
        "ends": [part.ends for part in parts],
    }
    return given if wanted.merchants is None else {**given, "merchants": list(wanted.merchants)}


def _inside(narrowed: bool) -> str:
    return _INSIDE.format(narrowed=_OF_MERCHANTS if narrowed else "")


@cache
def _money(narrowed: bool) -> TextClause:
    sums = ", ".join(f"sum(f.{name})::bigint AS {name}" for name in rows.MONEY)
    return text(
        f"""
        SELECT p.bucket, f.currency, {sums}
        FROM {_PIECES} CROSS JOIN LATERAL (SELECT * FROM money_figures f WHERE {_inside(narrowed)}) f
        GROUP BY p.bucket, f.currency ORDER BY p.bucket, f.currency
        """  # noqa: S608 - names of our own
    )


@cache
def _attempts(narrowed: bool) -> TextClause:
    return text(
        f"""
        SELECT g.by, g.key, c.provider, c.label, g.outcome, g.attempts FROM (
            SELECT CASE WHEN GROUPING(f.contract_id) = 0 THEN 'contract' WHEN GROUPING(f.method) = 0 THEN 'method'
                       WHEN GROUPING(f.country) = 0 THEN 'country' ELSE 'code' END AS by,
                   coalesce(f.contract_id::text, f.method, f.country, f.code) AS key,
                   f.contract_id, f.outcome, sum(f.attempts)::bigint AS attempts
            FROM {_PIECES} CROSS JOIN LATERAL (SELECT * FROM attempt_figures f WHERE {_inside(narrowed)}) f
            GROUP BY GROUPING SETS ((f.contract_id, f.outcome), (f.method, f.outcome), (f.country, f.outcome),
                                    (f.code, f.outcome))
        ) g LEFT JOIN contracts c ON c.id = g.contract_id
        WHERE g.by <> 'code' OR g.outcome = 'declined'
        """  # noqa: S608 - names of our own
    )


_DEPTHS = text(
    """
    SELECT b.number - 1 AS bucket, d.queue, d.deepest
    FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])) WITH ORDINALITY
         AS b (starts, ends, number)
    CROSS JOIN LATERAL (
        SELECT queue, max(deepest) AS deepest FROM queue_depths WHERE hour >= b.starts AND hour < b.ends GROUP BY queue
    ) d
    ORDER BY 1, 2
    """
)
_LATEST = text("SELECT DISTINCT ON (queue) queue, latest, measured_at FROM queue_depths ORDER BY queue, hour DESC")
