"""Fills a migrated database with many payments over 90 days: authorisations, operations, events, books.

`.venv/bin/python bench/fill.py --rows 1000000` fills stores of its own, proves the books on the result and says how
long it took; other benchmarks call `fill()`. With `--here` it fills DATABASE_OWNER_URL (development only). What becomes
of each payment comes from the product's own rules (filling/lives.py); the rows are written by SQL, as the owner.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import create_engine

from bench.filling import prepare, seals
from bench.filling.lane import Lane
from bench.stack import running

DAYS = 90

# What each lane writes.
MONEY = (
    *("payments", "authorisations", "operations", "risk_decisions", "routing_decisions", "ledger_entries"),
    *("ledger_lines", "disputes"),
)
EVENTS = ("events", "event_details")


def fill(owner_url: str, rows: int, *, queued: bool = False) -> list[prepare.Tenant]:
    """Adds `rows` payments of a few merchants. Needs an application's context and keys; nothing else may be at work.

    Events get their positions and seals; with `queued` they wait for the sequencer, as events do that were just told.
    """
    at = datetime.now(UTC)
    chosen = prepare.tenants(at - timedelta(days=DAYS + 10))
    with Lane(owner_url) as lane, ThreadPoolExecutor(2) as pool:
        prepare.prepare(lane.connection, chosen, rows=rows, days=DAYS, at=at)
        lane.run("plan.sql")
        money = pool.submit(_money, owner_url)
        lane.run("told.sql")
        sealed = None if queued else pool.submit(_seals, owner_url)
        with lane.without_indexes(*EVENTS, told=queued):
            lane.run("events.sql")
        lane.settle(*EVENTS)
        for done in (money, sealed):
            if done is not None:
                done.result()
        lane.connection.execute("DROP SCHEMA fill CASCADE")
        if not queued:  # what has no position yet is rolled up by the job, when it has one
            _figures(lane)
    return chosen


def _figures(lane: Lane) -> None:
    """By the product's own roll-up, which reads the events just numbered."""
    from app.figures.roll_up import roll_up

    with lane.timed("figures"):
        while roll_up(100_000).events:
            pass
    lane.settle("money_figures", "attempt_figures")


def _money(owner_url: str) -> None:
    with Lane(owner_url) as lane:
        with lane.without_indexes(*MONEY):
            lane.run("money.sql")
        lane.settle(*MONEY, "ledger_accounts", "ledger_snapshots")


def _seals(owner_url: str) -> None:
    """Positions and seals; what reads the event log has read it all."""
    with Lane(owner_url) as lane, Lane(owner_url) as other, lane.timed("positions and seals"):
        seals.seal(lane.connection, other.connection)
        lane.connection.execute(
            "INSERT INTO reaction_cursors (reaction, position)"
            " SELECT reaction, position FROM unnest(ARRAY['webhooks', 'mails']) reaction,"
            " (SELECT max(position) AS position FROM event_log) last"
            " ON CONFLICT (reaction) DO UPDATE SET position = excluded.position"
        )
        lane.settle("event_log")


def proved(owner_url: str) -> list[str]:
    """Names of the proofs that do not hold."""
    from app.figures.proofs import PROOFS
    from app.ledger.balance import snapshot
    from app.ledger.proof import prove

    with create_engine(owner_url).begin() as connection:
        snapshot(connection)
        return list(prove(connection, PROOFS))


def main(rows: int, here: bool, proofs: bool) -> dict[str, object]:
    from wsgi import create_app

    with _stores(here) as owner_url, create_app().app_context():
        begun = time.perf_counter()
        fill(owner_url, rows)
        seconds = time.perf_counter() - begun
        broken = proved(owner_url) if proofs else None
        return {"rows": rows, "seconds": round(seconds, 1), "broken_proofs": broken, "wrong_seals": seals.wrong(1000)}


@contextmanager
def _stores(here: bool) -> Iterator[str]:
    if here:
        yield os.environ["DATABASE_OWNER_URL"]
        return
    with running() as stack:
        yield stack.stores.owner_url


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--here", action="store_true", help="fill DATABASE_OWNER_URL instead of stores of its own")
    parser.add_argument("--no-proofs", action="store_true", help="do not prove the books afterwards")
    given = parser.parse_args()
    print(json.dumps(main(given.rows, given.here, not given.no_proofs)))
