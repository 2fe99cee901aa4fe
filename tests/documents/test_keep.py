"""Keeping, reading and erasing: what stands in the database, what was told, and what it refuses."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.core import vault
from app.core.db import ALL, atomic, of, reading
from app.core.errors import NotFound
from app.core.ids import public_id, uuid7
from app.documents.erase import erase
from app.documents.keep import DocumentTooLarge, TooManyDocuments, keep
from app.documents.limits import LARGEST_BYTES, MOST_PER_SUBJECT
from app.documents.models import DOCUMENTS, context_of, documents_of
from app.documents.read import read
from app.documents.recognise import EmptyDocument, UnknownKindOfDocument
from tests import factories
from tests.documents.files import PDF, png

SECRET = b"%PDF-1.7 Erika Muster, Musterstrasse 1, 12345 Musterstadt " * 50


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


@pytest.fixture
def subject():
    return "thing", uuid7()


@pytest.fixture
def kept(tenant, subject):
    """Keeps a file for the tenant: kept(content, **more)."""

    def put(content=SECRET, **more):
        given = {"kind": "receipt", "filename": "Beleg.pdf", "data": {"thing": "t1"}, "actor": "test", **more}
        with atomic(of(tenant.merchant_id, False)) as connection:
            return keep(
                connection, subject=subject, merchant_id=tenant.merchant_id, live=False, content=content, **given
            )

    return put


def _told(document_id):
    with reading(ALL) as connection:
        query = text("SELECT name, step, audience, actor, data FROM events WHERE subject_id = :id ORDER BY id")
        return [tuple(row) for row in connection.execute(query, {"id": document_id})]


def _booked(tenant):
    with reading(ALL) as connection:
        query = text("SELECT count(*) FROM ledger_entries WHERE merchant_id = :id")
        return connection.execute(query, {"id": tenant.merchant_id}).scalar_one()


def _read(tenant, subject, document_id, live=False):
    with atomic(of(tenant.merchant_id, live)) as connection:
        return read(connection, document_id, subject=subject, data={"thing": "t1"}, actor="reader")


def test_a_file_is_kept_sealed_and_comes_back_as_it_was(tenant, subject, kept):
    row = kept(note="for the bank")
    with reading(ALL) as connection:
        stored = connection.execute(select(DOCUMENTS).where(DOCUMENTS.c.id == row["id"])).mappings().one()
    assert b"Erika" not in stored["sealed"] and SECRET[:9] not in stored["sealed"]
    assert (stored["filename"], stored["media_type"], stored["size_bytes"], stored["note"]) == (
        *("Beleg.pdf", "application/pdf"),
        *(len(SECRET), "for the bank"),
    )
    found, content = _read(tenant, subject, row["id"])
    assert content == SECRET and found == row
    doc = public_id("doc", row["id"])
    facts = {"kind": "receipt", "media_type": "application/pdf", "size_bytes": len(SECRET)}
    assert _told(row["id"]) == [
        ("document.added", 1, "staff", "test", {"thing": "t1", "document": doc, **facts}),
        ("document.read", None, "staff", "reader", {"thing": "t1", "document": doc, "kind": "receipt"}),
    ]
    assert _booked(tenant) == 0


def test_erasing_leaves_an_empty_row(tenant, subject, kept):
    row = kept(note="for the bank")
    with atomic(of(tenant.merchant_id, False)) as connection:
        left = erase(connection, row["id"], subject=subject, data={"thing": "t1"}, actor="test")
        assert connection.execute(documents_of(subject)).all() == []
    assert (left["filename"], left["note"], left["sha256"]) == ("", "", row["sha256"])
    with reading(ALL) as connection:
        stored = connection.execute(select(DOCUMENTS).where(DOCUMENTS.c.id == row["id"])).mappings().one()
    assert stored["sealed"] is None and stored["erased_at"] is not None
    assert [one[0] for one in _told(row["id"])] == ["document.added", "document.removed"]
    for again in (lambda: _read(tenant, subject, row["id"]), lambda: _erase(tenant, subject, row["id"])):
        with pytest.raises(NotFound):
            again()
    assert len(_told(row["id"])) == 2
    assert _booked(tenant) == 0


def _erase(tenant, subject, document_id):
    with atomic(of(tenant.merchant_id, False)) as connection:
        erase(connection, document_id, subject=subject, data={}, actor="test")


def test_nobody_else_reads_or_erases_it(tenant, subject, kept, acquirers):
    row, stranger = kept(), factories.tenant(acquirers["A"])
    for attempt in (
        lambda: _read(stranger, subject, row["id"]),
        lambda: _erase(stranger, subject, row["id"]),
        lambda: _read(tenant, subject, row["id"], live=True),
        lambda: _read(tenant, ("thing", uuid7()), row["id"]),
        lambda: _read(tenant, ("another", subject[1]), row["id"]),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert [one[0] for one in _told(row["id"])] == ["document.added"]


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", EmptyDocument),
        (b"PK\x03\x04\x00", UnknownKindOfDocument),
        (b"%PDF-" + bytes(LARGEST_BYTES - 4), DocumentTooLarge),
    ],
    ids=["empty", "zip", "too large"],
)
def test_what_is_refused_leaves_nothing(tenant, subject, kept, content, refusal):
    with pytest.raises(refusal):
        kept(content)
    with reading(ALL) as connection:
        assert connection.execute(documents_of(subject)).all() == []


def test_the_largest_file_fits(tenant, subject, kept):
    content = b"%PDF-" + bytes(LARGEST_BYTES - 5)
    assert _read(tenant, subject, kept(content)["id"])[1] == content


def test_there_is_an_end_of_files(tenant, subject, kept):
    first, *_more = [kept(PDF)["id"] for _ in range(MOST_PER_SUBJECT)]
    with pytest.raises(TooManyDocuments):
        kept(PDF)
    _erase(tenant, subject, first)
    kept(png())


def test_lists_never_load_the_content(tenant, subject, kept):
    kept()
    query = documents_of(subject)
    assert "sealed" not in str(query)
    with reading(of(tenant.merchant_id, False)) as connection:
        assert "sealed" not in connection.execute(query).mappings().one()


def test_the_database_lets_nobody_change_a_document(tenant, kept):
    document = {"id": kept()["id"]}
    for statement in (
        "UPDATE documents SET filename = 'another.pdf' WHERE id = :id",
        "UPDATE documents SET sealed = 'other' WHERE id = :id",
        "UPDATE documents SET media_type = 'text/plain' WHERE id = :id",
        "UPDATE documents SET erased_at = now() WHERE id = :id",
        "DELETE FROM documents WHERE id = :id",
    ):
        with pytest.raises(DBAPIError), atomic(ALL) as connection:
            connection.execute(text(statement), document)


def test_content_moved_to_another_document_does_not_open(tenant, subject, kept):
    """Whoever writes to the database past the application cannot show one file for another."""
    first, second = kept(PDF), kept(SECRET)
    with reading(ALL) as connection:
        query = select(DOCUMENTS.c.sealed).where(DOCUMENTS.c.id == first["id"])
        sealed = connection.execute(query).scalar_one()
    vault.unseal(sealed, context_of(first))
    with pytest.raises(vault.CannotOpen):
        vault.unseal(sealed, context_of(second))
