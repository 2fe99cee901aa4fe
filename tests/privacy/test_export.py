"""What is known of one person, in one archive: for computers and for reading."""

import io
import json
import zipfile

import pytest

from app.core.db import ALL, atomic
from app.core.errors import NotFound
from app.core.ids import public_id, uuid7
from app.customers.add import change_customer
from app.privacy.export import export
from app.privacy.known import KNOWN
from tests.privacy.conftest import EMAIL, SECRET


def _export(known, say=lambda text, **values: text % values if values else text):
    with atomic(known.scope) as connection:
        content = export(
            connection, customer_id=known.row["id"], actor="staff:usr_1", reason="asked", language="en", say=say
        )
    archive = zipfile.ZipFile(io.BytesIO(content))
    return json.loads(archive.read("data.json")), archive.read("data.html").decode()


def test_it_holds_every_kind_of_data_on_the_shelf(disputed):
    data, page = _export(disputed)
    assert set(KNOWN) <= set(data)
    assert [name for name in KNOWN if not data[name]] == []
    assert data["id"] == public_id("cus", disputed.row["id"])
    for kind in KNOWN.values():
        assert f"<h2>{kind.TITLE}</h2>" in page


def test_it_says_what_is_known_in_clear(known):
    data, page = _export(known)
    assert data["answers"][0]["answers"] == {"name": SECRET, "city": "Geheimstadt"}
    assert {one["payer"]["email"] for one in data["payments"]} == {EMAIL}
    assert sorted(one["paid_as_guest"] for one in data["payments"]) == [False, True]
    assert data["mails"][0]["to"] == EMAIL
    assert data["notes"][0]["said"] == f"{SECRET} called"
    assert data["instruments"][0]["last4"] == "4242"
    assert any(one["said"].get("payer_name") == SECRET for one in data["events"])
    assert page.startswith("<!doctype html>") and SECRET in page and "Geheimstadt" in page


def test_nothing_of_the_staff_and_nothing_sealed_is_in_it(known):
    data, _page = _export(known)
    assert "staff:" not in json.dumps(data) and "ip_address" not in json.dumps(data)
    assert "token" not in json.dumps(data) and "fingerprint" not in json.dumps(data)


def test_what_they_typed_is_text_in_the_page_and_never_markup(known):
    with atomic(known.scope) as connection:
        change_customer(connection, customer_id=known.row["id"], actor="test", columns={"name": "<script>x</script>"})
    _data, page = _export(known)
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_it_is_told_with_counts_and_reason(known, column):
    _export(known)
    [data] = column("SELECT data FROM events WHERE name = 'customer.exported' AND subject_id = :id", id=known.row["id"])
    assert data["reason"] == "asked" and data["counts"]["payments"] == 2
    assert SECRET not in str(data)


def test_a_customer_that_does_not_exist_is_not_found(context):
    with pytest.raises(NotFound), atomic(ALL) as connection:
        export(connection, customer_id=uuid7(), actor="test", reason="", language="en", say=str)
