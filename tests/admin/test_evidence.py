"""Evidence on a dispute: added, opened and removed in the back office, while the dispute is open."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import event, select, text

from app.connectors.kinds import DisputeNews
from app.core.clock import now
from app.core.db import ALL, atomic, db, reading
from app.core.ids import parse_id, public_id
from app.documents.limits import LARGEST_BYTES, MOST_PER_SUBJECT
from app.documents.models import DOCUMENTS
from app.staff.add import add_user
from app.staff.grant import Given
from tests import factories
from tests.admin.desk import PASSWORD, Desk
from tests.books import booked, told
from tests.documents.files import PDF, jpeg, png


def hear(shop, done, turn: str) -> None:
    reference = factories.authorisation_of(done)["provider_reference"]
    deadline = (now() + timedelta(days=6)).date()
    about = DisputeNews(turn, f"dispute-{done.payment['id']}", "fraudulent", respond_by=deadline)
    more: dict[str, Any] = {"reference": reference, "authorisation_reference": reference, "dispute": about}
    assert factories.hear(shop, done, "dispute", "approved", 5_000, **more)


@pytest.fixture
def disputed(made, tenant):
    """(a captured payment, the address of the open dispute about it)."""
    done = made(factories.captured, tenant, 5_000)
    made(hear, tenant, done, "charged_back")

    def address():
        with reading(ALL) as connection:
            query = text("SELECT id FROM disputes WHERE payment_id = :id")
            return public_id("dsp", connection.execute(query, {"id": done.payment["id"]}).scalar_one())

    return done, f"/admin/disputes/{made(address)}"


@pytest.fixture
def path(disputed):
    return disputed[1]


def add(desk, path, content=PDF, name="Lieferschein.pdf", **changes):
    page = desk.open(f"{path}/evidence")
    return desk.send(page, page.form("kind", "note"), file=(BytesIO(content), name), **changes)


def kept(made, path) -> list[Any]:
    """The documents' rows of the dispute at this address, with their content."""

    def rows():
        with reading(ALL) as connection:
            dispute_id = parse_id("dsp", path.rpartition("/")[2])
            query = select(DOCUMENTS).where(DOCUMENTS.c.subject_id == dispute_id).order_by(DOCUMENTS.c.id)
            return [dict(row) for row in connection.execute(query).mappings()]

    return made(rows)


def file_of(page) -> str:
    """The address of the first file on a dispute's page."""
    return next(part.split('"')[0] for part in page.html.split('href="') if "/evidence/doc_" in part.split('"')[0])


def test_a_file_is_added_shown_and_opened(made, desks, disputed):
    (done, path), desk = disputed, desks("operator")
    before = made(booked, done.payment["id"])
    assert "Nothing yet. Files are kept here and sent to nobody" in desk.open(path).text
    page = add(desk, path, kind="delivery_note", note="Signed by the neighbour")
    assert page.notes[0] == "Lieferschein.pdf is added as evidence."
    assert page.path.endswith(path)
    for shown in ("Lieferschein.pdf", "Delivery note", "1 KB", "Signed by the neighbour", "Operator", "File added"):
        assert shown in page.text
    assert "sent to nobody. Hand them in at Sandbox card acquirer" in page.text
    (row,) = kept(made, path)
    assert PDF not in row["sealed"] and b"Catalog" not in row["sealed"]
    answer = desk.ask(file_of(page))
    assert (answer.status_code, answer.data, answer.mimetype) == (200, PDF, "application/pdf")
    assert answer.headers["Content-Disposition"] == "attachment; filename=Lieferschein.pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert "File opened" in desk.open(path).text
    assert made(told, done.payment["id"])[-1] == "document.added"
    assert made(booked, done.payment["id"]) == before


def test_a_file_is_removed_after_a_question(made, desk, disputed):
    done, path = disputed
    page = add(desk, path, note="for the bank")
    before = made(booked, done.payment["id"])
    question = desk.open(f"{file_of(page)}/remove")
    assert "erased for good" in question.text and "Lieferschein.pdf" in question.text
    after = desk.send(question, question.own_form)
    assert "Lieferschein.pdf is removed." in after.notes
    assert "File removed" in after.text and "for the bank" not in after.text
    (row,) = kept(made, path)
    assert (row["sealed"], row["filename"], row["note"]) == (None, "", "")
    assert desk.open(file_of(page)).status == 404
    assert desk.open(f"{file_of(page)}/remove").status == 404
    assert made(told, done.payment["id"])[-2:] == ["document.added", "document.removed"]
    assert made(booked, done.payment["id"]) == before


def test_the_same_form_adds_a_file_once(made, desk, path):
    page = desk.open(f"{path}/evidence")
    form = page.form("kind")
    desk.send(page, form, file=(BytesIO(PDF), "a.pdf"))
    again = desk.send(page, form, file=(BytesIO(PDF), "a.pdf"))
    assert "This form was sent before and is done already." in again.notes
    assert len(kept(made, path)) == 1


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "empty.pdf", "This file is empty."),
        (b"GIF89a\x00\x01", "picture.pdf", "This is not a kind of file that is kept here."),
        (b"PK\x03\x04\x00", "letter.docx", "This is not a kind of file that is kept here."),
        (b"%PDF-" + bytes(LARGEST_BYTES), "scan.pdf", "This file is too large: 20 MB are the most."),
    ],
    ids=["empty", "gif", "docx", "too large"],
)
def test_what_is_not_kept_is_refused_at_the_field(made, desk, path, content, name, said):
    page = add(desk, path, content, name, note="what I typed")
    assert page.status == 200
    assert len(page.errors) == 1 and said in page.errors[0]
    assert page.form("note").fields["note"] == "what I typed"
    assert kept(made, path) == []
    assert f"{name} is added" not in add(desk, path).text


def test_a_form_without_a_file_says_so(desk, path):
    page = desk.open(f"{path}/evidence")
    assert desk.send(page, page.form("kind")).errors == ["Choose a file."]


def test_far_too_much_is_refused_before_it_is_read(made, desk, path):
    page = add(desk, path, b"%PDF-" + bytes(LARGEST_BYTES + 200_000))
    assert page.status == 413
    assert "This file is too large: 20 MB are the most. Go back and choose a smaller one." in page.text
    assert kept(made, path) == []


def test_other_forms_stay_small(desk, tenant):
    page = desk.open(f"/admin/shops/{public_id('shp', tenant.shop_id)}/change")
    answer = desk.send(page, page.form("accent"), logo=(BytesIO(bytes(1_000_001)), "logo.png"))
    assert answer.status == 413


@pytest.mark.parametrize(
    ("content", "name", "wanted"),
    [
        (png(), "../../etc/cron.d/x.html", "x.html.png"),
        (jpeg(), "a\x00b\x1f.jpg", "ab.jpg"),
        (PDF, "C:\\Scans\\Rechnung März.PDF", "Rechnung März.pdf"),
        (b"<script>alert(1)</script>", "page.svg", "page.svg.txt"),
    ],
)
def test_names_and_types_that_lie_are_put_right(made, desk, path, content, name, wanted):
    page = add(desk, path, content, name)
    assert wanted in page.text
    answer = desk.ask(file_of(page))
    assert answer.headers["Content-Type"].partition(";")[0] == kept(made, path)[0]["media_type"]
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")


def test_a_closed_dispute_keeps_what_it_has(made, tenant, desk, disputed):
    done, path = disputed
    page = add(desk, path)
    made(hear, tenant, done, "lost")
    closed = desk.open(path)
    assert "The dispute is closed: what was kept for it stays as it is." in closed.text
    assert "/remove" not in closed.html and "Add evidence" not in closed.text
    assert desk.ask(file_of(page)).data == PDF
    for address in (f"{path}/evidence", f"{file_of(page)}/remove"):
        assert "This dispute is closed: its evidence stays as it is." in desk.open(address).notes[0]
    assert [row["erased_at"] for row in kept(made, path)] == [None]


def test_a_dispute_that_closes_meanwhile_takes_no_more(made, tenant, desk, disputed):
    done, path = disputed
    page = desk.open(f"{path}/evidence")
    made(hear, tenant, done, "lost")
    answer = desk.send(page, page.form("kind"), file=(BytesIO(PDF), "late.pdf"))
    assert "This dispute is closed: its evidence stays as it is." in answer.notes[0]
    assert kept(made, path) == []


def test_there_is_an_end_of_files(made, desk, path):
    for _ in range(MOST_PER_SUBJECT):
        add(desk, path)
    assert f"There are {MOST_PER_SUBJECT} files already; no more are kept." in add(desk, path).notes[0]
    assert len(kept(made, path)) == MOST_PER_SUBJECT


def test_who_may_only_look_sees_that_there_is_something_and_no_more(desks, path):
    page = add(desks("admin"), path, name="Rechnung Erika Muster.pdf", note="Frau Muster")
    seen = desks("support").open(path)
    assert "PDF" in seen.text and "Invoice or receipt" in seen.text
    assert "Erika" not in seen.html.partition('id="evidence"')[2].partition("</section>")[0]
    assert "Frau Muster" not in seen.html
    for address in (file_of(page), f"{file_of(page)}/remove", f"{path}/evidence"):
        assert desks("support").open(address).status == 403


def test_of_another_merchant_there_is_nothing(app, made, acquirers, desk, tenant, path):
    """Somebody who tends one merchant's disputes finds nothing of another's, and nothing is told."""
    page = add(desk, path)
    stranger = made(factories.tenant, acquirers["A"])

    def employ() -> str:
        role = Given("operator", merchants=frozenset({stranger.merchant_id}))
        with atomic(ALL) as connection:
            add_user(connection, email="theirs@example.com", password=PASSWORD, roles=[role], name="T", actor="test")
        return "theirs@example.com"

    theirs = Desk(app.test_client())
    assert theirs.log_in(made(employ)).status == 200
    document = parse_id("doc", file_of(page).rpartition("/")[2])
    for address in (path, f"{path}/evidence", file_of(page), f"{file_of(page)}/remove"):
        assert theirs.open(address).status == 404
    form = desk.open(f"{path}/evidence").form("kind")
    token = theirs.open("/admin/disputes/").form("csrf_token").fields["csrf_token"]
    sent = theirs.client.post(
        f"{path}/evidence", data={**form.fields, "csrf_token": token, "file": (BytesIO(PDF), "a.pdf")}
    )
    assert sent.status_code == 404
    assert [row["id"] for row in kept(made, path)] == [document]

    def events():
        with reading(ALL) as connection:
            return list(
                connection.execute(text("SELECT name FROM events WHERE subject_id = :id"), {"id": document}).scalars()
            )

    assert made(events) == ["document.added"]


def test_a_file_of_another_dispute_is_not_found_here(made, tenant, desk, path):
    page = add(desk, path)
    done = made(factories.captured, tenant, 5_000)
    made(hear, tenant, done, "inquiry")
    other = next(
        part.split('"')[0]
        for part in desk.open("/admin/disputes/?mode=test&state=inquiry").html.split('href="')
        if part.startswith("/admin/disputes/dsp_")
    )
    assert desk.open(f"{other}/evidence/{file_of(page).rpartition('/')[2]}").status == 404


def test_the_page_never_loads_a_file(app, desk, path):
    add(desk, path)
    said: list[str] = []

    def listen(_connection, _cursor, statement, *_more):
        said.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", listen)
    try:
        desk.open(path)
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    about = [statement for statement in said if "FROM documents" in statement]
    assert about and not any("sealed" in statement for statement in about)


def test_a_form_without_its_token_is_refused(made, desk, path):
    page = desk.open(f"{path}/evidence")
    answer = desk.send(page, page.form("kind"), csrf_token=None, file=(BytesIO(PDF), "a.pdf"))
    assert answer.status == 400
    assert kept(made, path) == []
