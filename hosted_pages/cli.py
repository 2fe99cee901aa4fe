"""`flask scripts ...`: the inventory of scripts of the checkout, written anew, and compared with what is served."""

import json
from pathlib import Path

import click
from flask.cli import AppGroup

from app.core import scripts as inventory
from app.core.http import NoAnswer, NotSent
from app.payments.verify_page import verify_page

scripts = AppGroup("scripts", help="Scripts of the checkout: what there is, why, and whether it is what is served.")

STATIC = Path(__file__).parent / "static"


@scripts.command("write")
def write() -> None:
    """Writes the fingerprints of the scripts into the inventory. What each is for is written there by hand."""
    entries = json.loads(inventory.INVENTORY.read_text())
    listed = {entry["file"] for entry in entries}
    unknown = sorted({str(file.relative_to(inventory.ROOT)) for file in STATIC.glob("*.js")} - listed)
    if unknown:
        raise click.ClickException(f"add {', '.join(unknown)} to {inventory.INVENTORY.name}, with its purpose")
    for entry in entries:
        entry["integrity"] = inventory.digest((inventory.ROOT / entry["file"]).read_bytes())
    inventory.INVENTORY.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n")
    click.echo(f"{len(entries)} scripts; read the difference before you commit it: git diff {inventory.INVENTORY.name}")


@scripts.command("verify")
def verify() -> None:
    """Looks at the checkout at its public address and compares scripts and headers with the inventory."""
    try:
        found = verify_page("cli")
    except (NotSent, NoAnswer) as error:
        raise click.ClickException(f"the page could not be looked at: {error}") from None
    if found:
        raise click.ClickException("not as the inventory says:\n" + "\n".join(f"  {one}" for one in found))
    click.echo(f"{len(inventory.inventory())} scripts are served as the inventory says")
