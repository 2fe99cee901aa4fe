"""Evidence on disputes through the API."""

import hashlib
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import text

from app.api._pictures import Dispute
from app.api.evidence import Evidence, EvidenceList
from app.connectors.kinds import DisputeNews
from app.core.db import ALL, atomic, reading
from app.core.ids import parse_id
from app.documents.limits import LARGEST_BYTES, MOST_PER_SUBJECT
from app.payments.evidence import remove_evidence
from tests import factories
from tests.api.conftest import error_of, fits
from tests.books import booked
from tests.documents.files import PDF, png


def hear(tenant, done, turn: str) -> None:
    reference = factories.authorisation_of(done)["provider_reference"]
    news = DisputeNews(turn=turn, provider_reference=f"case-{done.payment['id']}", reason="fraudulent")
    more: dict[str, Any] = {"reference": reference, "dispute": news, "authorisation_reference": reference}
    assert factories.hear(tenant, done, "dispute", "approved", 10_000, **more)


@pytest.fixture
def disputed(app, tenant, api):
    """(a captured payment, the path of the open dispute about it)."""
    with app.app_context():
        done = factories.captured(tenant)
        hear(tenant, done, "charged_back")
        with reading(ALL) as connection:
            query = text("SELECT id FROM disputes WHERE payment_id = :id")
            dispute_id = connection.execute(query, {"id": done.payment["id"]}).scalar_one()
    path = next(
        f"/disputes/{one['id']}"
        for one in api.get("/disputes").get_json()["data"]
        if parse_id("dsp", one["id"]) == dispute_id
    )
    fits(Dispute, api.get(path))
    return done, path


@pytest.fixture
def path(disputed):
    return f"{disputed[1]}/evidence"


def add(api, path, content=PDF, name="Lieferschein.pdf", kind: str | None = "delivery_note", **more):
    sent = {"file": (BytesIO(content), name, more.pop("mimetype", "application/pdf")), **more}
    return api.post(path, data={**sent, **({"kind": kind} if kind else {})})


def told(app, document: str) -> list[tuple[str, str, str]]:
    with app.app_context(), reading(ALL) as connection:
        query = text("SELECT name, audience, data ->> 'dispute' FROM events WHERE subject_id = :id ORDER BY id")
        return [tuple(row) for row in connection.execute(query, {"id": parse_id("doc", document)})]


def test_it_is_added_listed_and_downloaded(app, api, disputed, path):
    done, dispute = disputed
    with app.app_context():
        before = booked(done.payment["id"])
    answer = add(api, path, note="signed by the neighbour")
    made = fits(Evidence, answer)
    assert answer.status_code == 201
    assert (made["kind"], made["filename"], made["media_type"], made["note"]) == (
        *("delivery_note", "Lieferschein.pdf"),
        *("application/pdf", "signed by the neighbour"),
    )
    assert (made["size_bytes"], made["sha256"]) == (len(PDF), hashlib.sha256(PDF).hexdigest())
    assert made["dispute"] == dispute.rpartition("/")[2] and made["removed_at"] is None
    assert fits(EvidenceList, api.get(path))["data"] == [made]
    file = api.get(f"{path}/{made['id']}")
    assert (file.status_code, file.data, file.mimetype) == (200, PDF, "application/pdf")
    assert file.headers["Content-Disposition"] == "attachment; filename=Lieferschein.pdf"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in file.headers["Content-Security-Policy"]
    dispute_id = made["dispute"]
    assert told(app, made["id"]) == [
        ("document.added", "staff", dispute_id),
        ("document.read", "staff", dispute_id),
    ]
    with app.app_context():
        assert booked(done.payment["id"]) == before


def test_names_in_any_language_arrive_whole(api, path):
    made = add(api, path, name="../../Quittung für Müller.pdf").get_json()
    assert made["filename"] == "Quittung für Müller.pdf"
    header = api.get(f"{path}/{made['id']}").headers["Content-Disposition"]
    assert "filename*=UTF-8''Quittung%20f%C3%BCr%20M%C3%BCller.pdf" in header and ".." not in header


def test_what_the_client_calls_it_counts_for_nothing(api, path):
    made = add(api, path, png(), name="invoice.html", mimetype="text/html").get_json()
    assert (made["media_type"], made["filename"]) == ("image/png", "invoice.html.png")


@pytest.mark.parametrize(
    ("content", "name", "wanted"),
    [
        (b"", "a.pdf", (422, "document_empty", "file")),
        (b"GIF89a not kept here\x00", "a.pdf", (422, "document_type_refused", "file")),
        (b"PK\x03\x04\x00\x00", "a.pdf", (422, "document_type_refused", "file")),
        (b"%PDF-" + bytes(LARGEST_BYTES), "a.pdf", (413, "document_too_large", "file")),
        (b"%PDF-" + bytes(LARGEST_BYTES + 1_000_000), "a.pdf", (413, "document_too_large", "file")),
    ],
    ids=["empty", "gif", "zip", "too large", "far too large"],
)
def test_what_is_not_kept_is_refused(api, path, content, name, wanted):
    assert error_of(add(api, path, content, name)) == wanted
    assert api.get(path).get_json()["data"] == []


def test_fields_are_checked(api, path):
    assert error_of(add(api, path, kind=None)) == (422, "field_needed", "kind")
    assert error_of(add(api, path, kind="poem")) == (422, "not_one_of", "kind")
    assert error_of(add(api, path, note="x" * 501)) == (422, "too_long", "note")
    assert error_of(add(api, path, note="a\0b")) == (422, "wrong_form", "note")
    assert error_of(add(api, path, colour="red")) == (422, "unknown_field", "colour")
    assert error_of(api.post(path, data={"kind": "other", "x": (BytesIO(b"x"), "x.txt")}))[:2] == (422, "field_needed")
    in_text = api.post(path, data={"kind": "other", "file": "no file"}, content_type="multipart/form-data")
    assert error_of(in_text) == (422, "not_a_file", "file")
    twice = api.post(path, data={"kind": "other", "file": [(BytesIO(PDF), "a.pdf"), (BytesIO(PDF), "b.pdf")]})
    assert error_of(twice) == (422, "not_a_file", "file")
    assert error_of(api.post(path, {"kind": "other"})) == (415, "multipart_needed", None)
    assert api.get(path).get_json()["data"] == []


def test_other_routes_stay_small(api):
    assert error_of(api.post("/payments", {"description": "x" * 1_000_001})) == (413, "body_too_large", None)


def test_the_same_key_adds_it_once(app, api, path):
    first = add(api.once("evidence-1"), path)
    again = add(api.once("evidence-1"), path)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.get_json() == first.get_json()
    assert len(api.get(path).get_json()["data"]) == 1
    assert error_of(add(api.once("evidence-1"), path, PDF + b"\n")) == (
        *(422, "idempotency_key_reused"),
        "Idempotency-Key",
    )
    with app.app_context(), atomic(ALL) as connection:
        ids = {"dispute_id": parse_id("dsp", path.split("/")[2]), "document_id": parse_id("doc", first.json["id"])}
        remove_evidence(connection, **ids, actor="test")
    later = fits(Evidence, add(api.once("evidence-1"), path))
    assert later["removed_at"] is not None and later["filename"] is None
    assert error_of(api.get(f"{path}/{later['id']}")) == (404, "not_found", None)


def test_the_same_key_is_answered_the_same_when_the_dispute_has_closed(app, tenant, api, disputed, path):
    first = add(api.once("evidence-2"), path)
    with app.app_context():
        hear(tenant, disputed[0], "reversed")
    again = add(api.once("evidence-2"), path)
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert error_of(add(api.once("evidence-3"), path)) == (409, "dispute_closed", None)


def test_a_closed_dispute_takes_no_more_and_shows_what_it_has(app, tenant, api, disputed, path):
    done, _ = disputed
    made = add(api, path).get_json()
    with app.app_context():
        hear(tenant, done, "lost")
    assert error_of(add(api, path)) == (409, "dispute_closed", None)
    assert api.get(path).get_json()["data"] == [made]
    assert api.get(f"{path}/{made['id']}").data == PDF


def test_there_is_an_end_of_files(api, path):
    for _ in range(MOST_PER_SUBJECT):
        assert add(api, path).status_code == 201
    assert error_of(add(api, path)) == (409, "too_many_documents", None)
    page = api.get(f"{path}?limit=15").get_json()
    rest = api.get(f"{path}?limit=15&after={page['next']}").get_json()
    assert (len(page["data"]), len(rest["data"]), rest["next"]) == (15, MOST_PER_SUBJECT - 15, None)


def test_another_disputes_evidence_is_not_found_here(app, tenant, api, path):
    made = add(api, path).get_json()
    with app.app_context():
        done = factories.captured(tenant)
        hear(tenant, done, "inquiry")
    other = next(one["id"] for one in api.get("/disputes?status=inquiry").get_json()["data"])
    assert error_of(api.get(f"/disputes/{other}/evidence/{made['id']}")) == (404, "not_found", None)
    assert api.get(f"/disputes/{other}/evidence").get_json()["data"] == []


def test_another_merchants_evidence_does_not_exist(api, foreign, path):
    made = add(api, path).get_json()
    for answer in (foreign.get(path), foreign.get(f"{path}/{made['id']}"), add(foreign, path)):
        assert error_of(answer) == (404, "not_found", None)
    assert len(api.get(path).get_json()["data"]) == 1
