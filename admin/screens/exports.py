"""Files of the list of payments: asked for there, ready at once or made in the background, downloaded here."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Flask, Response, current_app, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from admin import formats, payment_list
from admin.here import connection, here, staff
from admin.listing import Filters
from admin.office import url
from admin.screen import Entry, Screen, go, page, say_refused
from app.core.attachment import streamed
from app.core.db import ALL, atomic
from app.core.errors import Refusal
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.desks.queries import desk
from app.exports import pieces
from app.exports.ask import ask
from app.exports.columns import COLUMNS
from app.exports.download import download
from app.exports.make import at_once
from app.exports.models import EXPORTS

SMALL = 2_000  # rows that are made while somebody waits
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Exports(Screen):
    address = "exports"
    entry = Entry("payments", 60, N_("Exports"), "download")

    @page("/", "export.payments")
    def index(self) -> str:
        query = select(EXPORTS).where(EXPORTS.c.asked_by == staff().id).order_by(EXPORTS.c.id.desc()).limit(50)
        rows = connection().execute(query).mappings().all()
        return self.show(
            "exports",
            title=_("Exports"),
            exports=rows,
            under_way=any(row["state"] == "waiting" for row in rows),
            why=_why,
        )

    @page("/ask", "export.payments", ("POST",), fresh=True)
    def ask(self) -> AnyResponse:
        chips = payment_list.chips()
        filters = Filters(*chips.values(), args=request.form.get("query", ""))
        wanted = payment_list.wanted(chips, here().live)
        columns = list(COLUMNS)
        if request.form.get("columns") == "listed":
            mine = desk(connection(), staff().id, payment_list.LIST)
            columns = payment_list.exported(payment_list.shown(mine.columns))
        try:
            filters.refuse_wrong()
            with atomic(ALL) as work:  # a file may hold payments of several merchants, and belongs to none of them
                export = ask(
                    work,
                    wanted,
                    form="xlsx" if request.form.get("form") == "xlsx" else "csv",
                    columns=columns,
                    oldest_first=filters.args.get("sort") == "oldest",
                    staff=staff(),
                )
        except Refusal as refusal:
            say_refused(refusal)
            return go(f"{url('payments.index')}?{payment_list.query_of(filters)}")
        made = at_once(export["id"], SMALL)
        if made["state"] == "ready":
            return go(url("exports.file", id=public_id("exp", made["id"])))
        return go(url("exports.index"))

    @page("/<id>/file", "export.payments", fresh=True)
    def file(self, id: str) -> Response:
        with atomic(ALL) as work:
            export = download(work, parse_id("exp", id), staff())
        day = export["asked_at"].astimezone(here().zone).date().isoformat()
        name = f"{_('payments')}-{day}.{export['form']}"
        content = _contents(current_app._get_current_object(), export["id"])  # type: ignore[attr-defined]
        return streamed(content, filename=name, media_type=_TYPES[export["form"]])


def _contents(app: Flask, export_id: UUID) -> Iterator[bytes]:
    """Read while it is sent, after the request is over; between two pieces nothing is held."""
    source = pieces.contents(export_id, "file")
    while True:
        with app.app_context():
            piece = next(source, None)
        if piece is None:
            return
        yield piece


def _why(export: Any) -> str:
    why = export["why"]
    return f"{formats.said(why['message'], **why['values'])} {formats.said(why['advice'], **why['values'])}".strip()


SCREEN = Exports

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import exports as _me

    _check: ScreenModule = _me
