"""`flask keys ...`: which keys seal what, a new key, and sealing everything with it while the product runs."""

import base64
import json
import os
import secrets
import time
from collections import Counter
from pathlib import Path

import click
from flask.cli import AppGroup

from app.config import read_keys, settings
from app.core import rotate as rotation
from app.core.ring import LOOK_EVERY_SECONDS, ring

keys = AppGroup("keys", help="Keys that seal: look, add one, seal everything with the newest.")

# A transaction that sealed something before it knew the new key may commit this much later (core/db.py ends it then).
SETTLE_SECONDS = 30
MOST_KEYS = 255


@keys.command("status")
def status() -> None:
    """Which key seals how many values, by column."""
    click.echo(f"{settings().keys_file}: keys {_listed(sorted(ring()))}; {max(ring())} seals")
    total: Counter[int] = Counter()
    for column, counted in rotation.in_use().items():
        total += counted
        values = ", ".join(f"key {number}: {many}" for number, many in sorted(counted.items()))
        click.echo(f"  {column}: {values or 'nothing'}")
    missing = sorted(set(total) - set(ring()))
    if missing:
        raise click.ClickException(f"the key file lacks {_listed(missing)}, which values in the database need")


@keys.command("add")
def add() -> None:
    """Adds a new key to the key file. Running processes seal with it within seconds.

    With several hosts: add it on one and bring the file to the others before anything else is done.
    """
    path = settings().keys_file
    number = max(read_keys(path).vault) + 1
    if number > MOST_KEYS:
        raise click.ClickException(f"there are {MOST_KEYS} keys; take out old ones first")
    content = json.loads(path.read_text())
    content["vault"][str(number)] = base64.b64encode(secrets.token_bytes(32)).decode()
    try:
        _replace(path, json.dumps(content, indent=2))
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror}); add the key where it comes from"
        raise click.ClickException(message) from None
    click.echo(f"key {number} is in {path} and seals from now on; next: flask --app wsgi keys rotate")


@keys.command("rotate")
@click.option("--rows", default=rotation.ROWS_AT_ONCE, help="Rows per transaction.")
@click.option("--settle", default=SETTLE_SECONDS, help="Seconds until a last look finds what came late.")
def rotate(rows: int, settle: float) -> None:
    """Seals everything with the newest key, in small steps, while the product runs. Can be interrupted and repeated."""
    _wait_until_every_process_knows(settings().keys_file)
    outcome = rotation.rotate(actor="cli", progress=_show, rows_at_once=rows)
    if outcome.anew.total():
        click.echo(f"{outcome.anew.total()} rows sealed anew; looking once more in {settle:g} s")
        time.sleep(settle)
        outcome = rotation.rotate(actor="cli", progress=_show, rows_at_once=rows)
    _conclude(outcome)


def _conclude(outcome: rotation.Outcome) -> None:
    """Says which keys may go. Fails while something is left that needs an old one."""
    spare = outcome.may_be_taken_out()
    click.echo(f"Everything is sealed with key {max(ring())}." if not outcome.left.total() else "Not done yet.")
    if spare:
        click.echo(f"May be taken out of the key file, on every host: {_listed(spare)}")
        click.echo("Backups made before now still need them: keep them with the backups.")
    for number, many in sorted(outcome.left.items()):
        click.echo(f"  key {number} is still needed by {many} values")
    broken = {table: many for table, many in outcome.broken.items() if many}
    if broken:
        rows = ", ".join(f"{many} of {table}" for table, many in broken.items())
        raise click.ClickException(f"these rows cannot be opened with the keys that are there: {rows}")
    if outcome.left.total():
        raise click.ClickException("some rows were in use all the time; run it again")


def _wait_until_every_process_knows(path: Path) -> None:
    left = path.stat().st_mtime + 2 * LOOK_EVERY_SECONDS - time.time()
    if 0 < left <= 2 * LOOK_EVERY_SECONDS:
        click.echo(f"waiting {left:.0f} s, until every process has seen the new key")
        time.sleep(left)


def _show(table: str, rows: int) -> None:
    click.echo(f"  {table}: {rows} rows")


def _replace(path: Path, content: str) -> None:
    """In one go, with the rights and the owner it had."""
    before = path.stat()
    new = path.with_name(f"{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, before.st_mode & 0o777)
        if os.geteuid() == 0:
            os.fchown(descriptor, before.st_uid, before.st_gid)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    new.replace(path)


def _listed(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in numbers)
