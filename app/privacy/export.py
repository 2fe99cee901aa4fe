"""`export()`: everything known of one person (Art. 15 and 20 GDPR), for machines and for reading, in one archive.

Nothing is stored: the archive is made when it is handed out.
"""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import jinja2
from sqlalchemy import Connection

from app.core.clock import now
from app.core.events import plain, tell
from app.core.ids import public_id
from app.core.texts import N_
from app.privacy.known import in_order
from app.privacy.person import person

HEADING = N_("What is known of you")
LEAD = N_("Made on %(day)s. The same stands in data.json, for computers.")
NOTHING = N_("Nothing is known.")
YES, NO = N_("yes"), N_("no")
IF_ERASED = N_("If your data are erased: %(what)s")


def export(
    connection: Connection, *, customer_id: UUID, actor: str, reason: str, language: str, say: Callable[..., str]
) -> bytes:
    """A zip with data.json and data.html; `say` translates into `language`. Tells `customer.exported`.

    Raises NotFound.
    """
    them = person(connection, customer_id)
    found = [
        (name, one.TITLE, one.STAYS, [plain(row) for row in one.known(connection, them)]) for name, one in in_order()
    ]
    content = {
        "id": public_id("cus", customer_id),
        "made_at": now().isoformat(),
        **{name: rows for name, _title, _stays, rows in found},
    }
    tell(
        "customer.exported",
        subject=("customer", customer_id),
        merchant_id=them.customer["merchant_id"],
        live=them.customer["live"],
        audience="staff",
        data={
            "customer": public_id("cus", customer_id),
            "reason": reason,
            "counts": {name: len(rows) for name, _title, _stays, rows in found},
        },
        actor=actor,
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("data.json", json.dumps(content, indent=2, ensure_ascii=False))
        files.writestr("data.html", _page(found, language, say))
    return archive.getvalue()


def _page(found: Sequence[tuple[str, str, str, list[dict[str, Any]]]], language: str, say: Callable[..., str]) -> str:
    return _template().render(
        heading=HEADING,
        lead=LEAD,
        nothing=NOTHING,
        if_erased=IF_ERASED,
        day=f"{now():%Y-%m-%d}",
        language=language,
        say=say,
        parts=[(title, stays, rows) for _name, title, stays, rows in found],
    )


@cache
def _template() -> jinja2.Template:
    return jinja2.Environment(autoescape=True, trim_blocks=True).from_string(
        (Path(__file__).parent / "page.html").read_text()
    )
