"""`flask audit ...`: proves that nobody has changed what happened."""

import json
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from app.core.gone import MOST, unexplained
from app.core.verify import verify as verified

audit = AppGroup("audit", help="The sealed log of everything that happened.")

_SHOWN = 20

# As the daily mail and log line write it (jobs/seal_out.py): `zahlwerk-seal 123:ab12...`.
_SEAL = re.compile(r"\b(\d+):([0-9a-f]{64})\b")


@audit.command("verify")
@click.option(
    "--against",
    "given",
    multiple=True,
    metavar="SEAL|FILE",
    help="A seal that left the database (POSITION:HEX), or a file with such seals: mails, log files. Can be repeated.",
)
def verify(given: tuple[str, ...]) -> None:
    """Reads the whole chain and names the first row that is wrong, and details of events that went without a reason.

    Exit status 1 if there is either.
    """
    known = dict(_known(given))
    begun = time.monotonic()
    found = verified(known)
    seconds = time.monotonic() - begun
    click.echo(f"{found.events} events fit together ({seconds:.1f} s); details of {found.erased} were erased.")
    if found.broken is None:
        _explained()
        if known:
            click.echo(f"{len(known)} seals that had left the database are the same.")
        click.echo(f"newest seal: {found.events}:{found.seal.hex()}")
        return
    event = f", event {found.broken.event_id}" if found.broken.event_id else ""
    raise click.ClickException(f"broken at position {found.broken.position}{event}: {found.broken.what}")


def _explained() -> None:
    gone = unexplained()
    for one in gone[:_SHOWN]:
        click.echo(f"position {one.position}, event {one.event_id} ({one.name}): its details were deleted")
    if gone:
        raise click.ClickException(
            f"details of {len(gone)}{' or more' if len(gone) == MOST else ''} events are gone before their time, and"
            " no erasure in the log says why."
        )


def _known(given: Iterable[str]) -> Iterable[tuple[int, bytes]]:
    for one in given:
        text = one if _SEAL.fullmatch(one) else _content(one)
        found = [*_SEAL.findall(text), *_of_log(text)]
        if not found:
            raise click.ClickException(f"{one}: no seal in it; they look like 123:<64 hexadecimal digits>")
        yield from ((int(position), bytes.fromhex(seal)) for position, seal in found)


def _content(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError as error:
        raise click.ClickException(f"{path}: neither a seal nor a file that can be read ({error.strerror})") from None


def _of_log(text: str) -> Iterable[tuple[Any, str]]:
    """Lines of the process log, one JSON object each."""
    for line in text.splitlines():
        if '"newest_seal"' in line:
            try:
                event = json.loads(line[line.index("{") :])
                yield event["position"], event["seal"]
            except (ValueError, KeyError):
                continue
