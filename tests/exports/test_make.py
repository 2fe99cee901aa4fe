"""Files of lists: what stands in them, whose payments, made once whatever dies in between."""

import csv
import io
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, text, update

from app.connectors.kinds import Payer
from app.core import vault
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.core.ids import public_id, uuid7
from app.customers.add import CUSTOMERS, add_customer
from app.customers.restrict import restrict
from app.exports import make, rights
from app.exports.models import PIECES
from app.privacy.erase import erase
from app.privacy.of_guest import of_guest
from app.staff.change import set_active
from app.staff.grant import GRANTS
from jobs import forget
from tests import factories
from tests.exports.conftest import file_of, made, row_of, sheet_of, text_of, texts_in


def read(export, delimiter=","):
    return list(csv.DictReader(io.StringIO(text_of(export)), delimiter=delimiter))


def told_of(export):
    with reading(ALL) as connection:
        query = text("SELECT name, data, actor, merchant_id FROM events WHERE subject_id = :id ORDER BY id")
        return [dict(row) for row in connection.execute(query, {"id": export["id"]}).mappings()]


def test_the_file_says_what_the_payments_are(tenant, wish):
    done = factories.captured(tenant, 12_345, merchant_reference="X-1", order_number="B-1", shop_id=tenant.shop_id)
    export = wish()
    made()
    (line,) = read(export)
    assert {name: line[name] for name in ("Payment", "Reference", "Status", "Amount", "Currency", "Captured")} == {
        "Payment": public_id("pay", done.payment["id"]),
        "Reference": "X-1",
        "Status": "Captured",
        "Amount": "123.45",
        "Currency": "EUR",
        "Captured": "123.45",
    }
    assert (line["Payer"], line["E-mail"], line["Order number"]) == ("Erika Muster", "erika@example.com", "B-1")
    assert line["Shop"].startswith("Shop ") and line["Merchant"].startswith("Merchant ")
    assert row_of(export)["state"] == "ready" and row_of(export)["rows"] == 1


def test_german_has_semicolons_commas_and_german_words(tenant, wish, person):
    factories.authorised(tenant, 12_345)
    export = wish(who=person(language="de"))
    made()
    assert file_of(export).startswith(b"\xef\xbb\xbfZahlung;Referenz;Status;Betrag;")
    (line,) = read(export, ";")
    assert (line["Status"], line["Betrag"]) == ("Autorisiert", "123,45")


def test_amounts_follow_their_currency(tenant, wish):
    for currency, amount in (("JPY", 1_200), ("KWD", 1_234)):
        factories.authorised(tenant, amount, currency=currency)
    export = wish()
    made()
    assert [line["Amount"] for line in read(export)] == ["1200", "1.234"]


@pytest.mark.parametrize("evil", ["=1+2", "+cmd", "-2+3", "@SUM(A1)", "\t=1"])
def test_nothing_in_it_is_a_formula(tenant, wish, evil):
    factories.authorised(tenant, merchant_reference=f"ok{evil}", description=evil, payer=Payer(name=evil))
    export, sheet = wish(), wish(form="xlsx")
    made()
    (line,) = read(export)
    assert (line["Description"], line["Payer"], line["Reference"]) == (f"'{evil}", f"'{evil}", f"ok{evil}")
    assert "<f>" not in sheet_of(sheet) and "<hyperlink" not in sheet_of(sheet)


def test_a_spreadsheet_has_numbers_as_numbers_and_moments_as_moments(tenant, wish):
    factories.captured(tenant, 12_345, merchant_reference="X-9")
    export = wish(form="xlsx")
    made()
    sheet = sheet_of(export)
    assert "X-9" in texts_in(sheet) and "Captured" in texts_in(sheet)
    assert "<v>123.45</v>" in sheet
    assert row_of(export)["state"] == "ready"
    with reading(ALL) as connection:
        query = text("SELECT count(*) FROM export_pieces WHERE export_id = :id AND kind = 'rows'")
        assert connection.execute(query, {"id": export["id"]}).scalar_one() == 0


def test_an_empty_list_is_a_file_with_a_header(tenant, wish):
    exports = [wish(currency="CHF"), wish(form="xlsx", currency="CHF")]
    made()
    assert text_of(exports[0]).startswith("Payment,Reference,") and read(exports[0]) == []
    assert texts_in(sheet_of(exports[1]))[:2] == ["Payment", "Reference"]
    assert [row_of(export)["state"] for export in exports] == ["ready", "ready"]


def test_it_keeps_to_filter_and_order_and_leaves_out_what_is_newer(tenant, wish):
    for number in range(4):
        factories.authorised(tenant, 1_000 + number, merchant_reference=f"N-{number}")
    export = wish(currency="EUR", least=1_001, oldest_first=False)
    factories.authorised(tenant, 5_000, merchant_reference="too late")
    made()
    assert [line["Reference"] for line in read(export)] == ["N-3", "N-2", "N-1"]


def test_it_is_told_with_filter_rows_and_who(tenant, wish, person):
    factories.authorised(tenant)
    who = person()
    export = wish(who=who, statuses=("authorised",))
    made()
    asked, ended = told_of(export)
    assert (asked["name"], ended["name"]) == ("export.asked", "export.made")
    assert ended["data"]["rows"] == 1 and ended["data"]["filter"]["statuses"] == ["authorised"]
    assert ended["actor"] == f"staff:{public_id('usr', who)}" and ended["merchant_id"] == tenant.merchant_id


def test_a_killed_worker_costs_one_step_and_no_row_twice(tenant, wish, monkeypatch):
    monkeypatch.setattr(make, "ROWS_AT_ONCE", 2)
    for number in range(5):
        factories.authorised(tenant, merchant_reference=f"K-{number}")
    export = wish()
    for _ in range(2):  # counted, and the first piece
        make.make(100)
    lost = make.take()
    assert lost is not None and make.take() is None, "whoever has the lease has it alone"
    with time_machine.travel(now() + make.LEASE + timedelta(seconds=1)):
        made()
        with pytest.raises(make.LeaseLost):
            make.step(lost)
    assert [line["Reference"] for line in read(export)] == [f"K-{number}" for number in range(5)]
    assert row_of(export)["pieces"] == 3


def test_without_the_right_to_see_payers_they_are_not_in_it(tenant, wish, person):
    factories.authorised(tenant)
    export = wish(who=person("accountant"))
    made()
    (line,) = read(export)
    assert "Payer" not in line and "E-mail" not in line and "erika" not in text_of(export).lower()


def test_a_customer_whose_processing_is_restricted_is_not_named(tenant, wish):
    with atomic(of(tenant.merchant_id, False)) as connection:
        customer = add_customer(connection, merchant_id=tenant.merchant_id, live=False, actor="test", columns={})
    factories.authorised(tenant, customer_id=customer["id"])
    with atomic(ALL) as connection:
        connection.execute(update(CUSTOMERS).where(CUSTOMERS.c.id == customer["id"]).values(restricted_at=now()))
    export = wish()
    made()
    assert [(line["Payer"], line["E-mail"]) for line in read(export)] == [("", "")]


def test_a_restricted_guest_is_not_named_and_nobody_is_after_an_erasure(tenant, wish):
    guest, other = Payer(name="Gesa", email="gesa@example.com"), Payer(name="Max", email="max@example.com")
    customers = []
    for payer in (guest, other):
        done = factories.captured(tenant, payer=payer)
        with atomic(of(tenant.merchant_id, False)) as connection:
            customers.append(of_guest(connection, payment_id=done.payment["id"], actor="test")["id"])
    with atomic(of(tenant.merchant_id, False)) as connection:
        restrict(connection, customer_id=customers[0], reason="asked", actor="test")
        erase(connection, customer_id=customers[1], actor="test")
    export = wish()
    made()
    assert [(line["Payer"], line["E-mail"]) for line in read(export)] == [("", ""), ("", "")]


def narrow(user_id, merchants):
    """From now on this user's grants are for these merchants only."""
    with atomic(ALL) as connection:
        connection.execute(update(GRANTS).where(GRANTS.c.user_id == user_id).values(merchants=merchants))


def test_whose_payments_they_are_is_asked_when_it_is_asked_for(tenant, wish, person, acquirers):
    who, other = person(), factories.tenant(acquirers["A"])
    narrow(who, [tenant.merchant_id])
    mine = factories.authorised(tenant, merchant_reference="mine")
    factories.authorised(other, merchant_reference="theirs")
    export = wish(who=who, merchants=())
    both = wish(who=who, merchants=(tenant.merchant_id, other.merchant_id))
    made()
    for one in (export, both):
        assert [line["Payment"] for line in read(one)] == [public_id("pay", mine.payment["id"])]


@pytest.mark.parametrize("how", ["other merchants", "deactivated"])
def test_rights_that_were_taken_away_meanwhile_are_gone(tenant, wish, person, how):
    who = person()
    factories.authorised(tenant)
    export = wish(who=who)
    make.make(100)
    if how == "deactivated":
        person("admin")
        with atomic(ALL) as connection:
            set_active(connection, who, False, actor="test")
    else:
        narrow(who, [uuid7()])
    made()
    assert (row_of(export)["state"], row_of(export)["why"]["code"]) == ("refused", "export_right_taken_away")
    assert file_of(export) == b""
    assert [one["name"] for one in told_of(export)] == ["export.asked", "export.refused"]


def test_who_may_not_export_cannot_ask(wish, person):
    with pytest.raises(rights.RightTakenAway):
        wish(who=person("support"))


def test_too_many_rows_are_refused_and_say_so(tenant, wish, monkeypatch):
    for _ in range(3):
        factories.authorised(tenant)
    monkeypatch.setattr(make, "MOST", {"csv": 2, "xlsx": 2})
    export = wish()
    made()
    assert row_of(export)["why"]["code"] == "too_many_rows"


def test_pieces_are_sealed_each_in_its_place(tenant, wish):
    factories.authorised(tenant, merchant_reference="secret-reference")
    first, second = wish(), wish()
    made()
    with atomic(ALL) as connection:
        sealed = connection.execute(select(PIECES.c.sealed).where(PIECES.c.export_id == first["id"])).scalar_one()
        assert b"secret-reference" not in sealed
        connection.execute(update(PIECES).where(PIECES.c.export_id == second["id"]).values(sealed=sealed))
    with pytest.raises(vault.CannotOpen):
        file_of(second)


def test_files_go_after_a_week(tenant, wish):
    export = wish()
    made()
    (kept,) = (one for one in forget.KEPT if "exports" in one.sql)
    with time_machine.travel(now() + timedelta(days=6)):
        forget.forget(kept, 100)
    assert file_of(export)
    with time_machine.travel(now() + timedelta(days=8)):
        forget.forget(kept, 100)
    assert file_of(export) == b""
    assert [one["name"] for one in told_of(export)] == ["export.asked", "export.made"], "that it was made stays known"


def test_small_ones_do_not_wait_for_large_ones(tenant, wish, monkeypatch):
    monkeypatch.setattr(make, "ROWS_AT_ONCE", 1)
    for _ in range(4):
        factories.authorised(tenant)
    large = wish()
    for _ in range(3):
        make.make(100)
    small = wish(currency="CHF")
    for _ in range(3):
        make.make(100)
    assert [row_of(export)["state"] for export in (small, large)] == ["ready", "waiting"]
    made()
