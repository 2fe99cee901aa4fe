"""Bad input: a clear error with the right status, and nothing half done."""

import json

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.core.db import ALL, db, reading
from app.core.money import LARGEST_MINOR
from tests.api.conftest import Api, by_card, error_of, order
from tests.books import broken_proofs

NUMBER = "4000000000000002"
TABLES = (
    *("payments", "authorisations", "operations", "checkouts", "customers", "instruments", "disputes", "events"),
    *("webhook_endpoints", "deliveries", "idempotency_keys", "receivables", "ledger_entries", "inbox"),
)


@pytest.fixture(scope="module")
def payment(app, tenant):
    """Authorised over 100.00 EUR, with 40.00 captured. Only tests that change nothing share it."""
    api = Api(app, tenant, tenant.key)
    made = api.pay()
    api.post(f"/payments/{made['id']}/captures", {"amount": 4_000})
    return made["id"]


@pytest.fixture
def untouched(app, payment):
    """Nothing may change while the test runs."""
    before = state(app)
    yield
    assert state(app) == before


def state(app) -> dict[str, str | None]:
    """A digest of every row of every table that a request could touch."""
    digest = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t"
    with app.app_context(), reading(ALL) as connection:
        return {table: connection.execute(text(digest.format(table))).scalar() for table in TABLES}


def without(body: dict, *path: str) -> dict:
    copy = json.loads(json.dumps(body))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return copy


def having(value, *path: str) -> dict:
    """A good order with one value changed."""
    copy = json.loads(json.dumps(order(payment_method=by_card(), payer={})))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return copy


WRONG_ORDERS = [
    (having(0, "amount"), "out_of_range", "amount"),
    (having(-1, "amount"), "out_of_range", "amount"),
    (having(LARGEST_MINOR + 1, "amount"), "out_of_range", "amount"),
    (having(10**30, "amount"), "out_of_range", "amount"),
    (having("100", "amount"), "not_a_whole_number", "amount"),
    (having(100.5, "amount"), "not_a_whole_number", "amount"),
    (having(100.0, "amount"), "not_a_whole_number", "amount"),
    (having(True, "amount"), "not_a_whole_number", "amount"),
    (having(None, "amount"), "not_a_whole_number", "amount"),
    (having([100], "amount"), "not_a_whole_number", "amount"),
    (having("eur", "currency"), "unknown_currency", "currency"),
    (having("XXX", "currency"), "unknown_currency", "currency"),
    (having("", "currency"), "unknown_currency", "currency"),
    (having(978, "currency"), "not_a_text", "currency"),
    (having("", "merchant_reference"), "too_short", "merchant_reference"),
    (having("x" * 101, "merchant_reference"), "too_long", "merchant_reference"),
    (having("a\x00b", "merchant_reference"), "wrong_form", "merchant_reference"),
    (having("a\nSet-Cookie: b", "merchant_reference"), "wrong_form", "merchant_reference"),
    (having("sometimes", "capture"), "not_one_of", "capture"),
    (having("4242 4242 4242 4242", "merchant_reference"), "card_number_in_text", "merchant_reference"),
    (having("Paid with 4242-4242-4242-4242.", "description"), "card_number_in_text", "description"),
    (having("4242424242424242", "payer", "name"), "card_number_in_text", "payer.name"),
    (
        having("4242424242424242", "payment_method", "card", "holder"),
        "card_number_in_text",
        "payment_method.card.holder",
    ),
    (having([{"name": "4242424242424242", "amount": 1}], "lines"), "card_number_in_text", "lines.0.name"),
    (having("30.11.2026", "capture_on"), "not_a_date", "capture_on"),
    (having("javascript:alert(1)", "return_url"), "wrong_form", "return_url"),
    (having("yes", "store"), "not_true_or_false", "store"),
    (having(1, "store"), "not_true_or_false", "store"),
    (having("x", "lines"), "not_a_list", "lines"),
    (having([{"name": "Teapot"}], "lines"), "field_needed", "lines.0.amount"),
    (having([{"name": "Teapot", "amount": "1"}], "lines"), "not_a_whole_number", "lines.0.amount"),
    (having([{"name": "x", "amount": 1}] * 201, "lines"), "too_long", "lines"),
    (having("x", "anything"), "unknown_field", "anything"),
    (having("nobody", "payer", "email"), "wrong_form", "payer.email"),
    (having("Germany", "payer", "country"), "wrong_form", "payer.country"),
    (having("1.2.3.4.5", "payer", "ip_address"), "wrong_form", "payer.ip_address"),
    (having("card", "payment_method"), "not_an_object", "payment_method"),
    (having({}, "payment_method"), "field_needed", "payment_method.type"),
    (having({"type": "cash"}, "payment_method"), "not_one_of", "payment_method.type"),
    (having({"type": "card"}, "payment_method"), "field_needed", "payment_method.card"),
    (having("4242424242424241", "payment_method", "card", "number"), "bad_card_number", "payment_method.card.number"),
    (having("42", "payment_method", "card", "number"), "bad_card_number", "payment_method.card.number"),
    (having("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "payment_method", "card", "number"), "bad_card_number", "payment_method.card.number"),
    (having(4242424242424242, "payment_method", "card", "number"), "not_a_text", "payment_method.card.number"),
    (having(13, "payment_method", "card", "expiry_month"), "out_of_range", "payment_method.card.expiry_month"),
    (having(31, "payment_method", "card", "expiry_year"), "out_of_range", "payment_method.card.expiry_year"),
    (having("12", "payment_method", "card", "security_code"), "wrong_form", "payment_method.card.security_code"),
    (having(123, "payment_method", "card", "security_code"), "not_a_text", "payment_method.card.security_code"),
    (having("x", "payment_method", "card", "pin"), "unknown_field", "payment_method.card.pin"),
    (having("x", "payment_method", "extra"), "unknown_field", "payment_method.extra"),
    (without(order(), "amount"), "field_needed", "amount"),
    (without(order(), "currency"), "field_needed", "currency"),
    (without(order(), "merchant_reference"), "field_needed", "merchant_reference"),
]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("body", "code", "param"), WRONG_ORDERS, ids=[str(one[2]) for one in WRONG_ORDERS])
def test_a_wrong_field_is_named(api, body, code, param):
    assert error_of(api.post("/payments", body)) == (422, code, param)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"null{", b'{"amount": 1,}', b"\xff\xfe", b'{"amount": NaN}', b"[" * 100_000, b'"' + b"\\" * 11),
        *(b'{"merchant_reference": "\\ud800"}', b'{"merchant_reference": "\xc3"}', b'{"amount": 1} trailing'),
    ],
    ids=repr,
)
def test_what_is_not_json_is_refused(api, raw):
    answer = api.ask("POST", "/payments", data=raw, headers={"Content-Type": "application/json"})
    if raw == b"":  # nothing at all is an empty object
        assert error_of(answer) == (422, "field_needed", "amount")
    else:
        assert error_of(answer)[:2] in ((400, "malformed_json"), (422, "not_a_whole_number"))


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("raw", [b"[]", b"null", b"1", b'"text"', b"true"])
def test_json_that_is_no_object_is_refused(api, raw):
    answer = api.ask("POST", "/payments", data=raw, headers={"Content-Type": "application/json"})
    assert error_of(answer) == (422, "not_an_object", None)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", "text/json", None],
)
def test_only_json_is_read(api, kind):
    headers = {"Content-Type": kind} if kind else {}
    answer = api.ask("POST", "/payments", data=json.dumps(order()), headers=headers)
    assert error_of(answer) == (415, "wrong_content_type", None)


def test_json_may_name_its_encoding(api):
    answer = api.ask(
        "POST", "/payments", data=json.dumps(order()), headers={"Content-Type": "application/json; charset=utf-8"}
    )
    assert answer.status_code == 201


@pytest.mark.usefixtures("untouched")
def test_ten_megabytes_are_refused(api):
    answer = api.ask("POST", "/payments", data=b"[" * 10_000_000, headers={"Content-Type": "application/json"})
    assert error_of(answer) == (413, "body_too_large", None)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("path", "body", "refused"),
    [
        ("/payments/{}/captures", {"amount": 6_001}, (422, "amount_too_high", "amount")),
        ("/payments/{}/captures", {"amount": 0}, (422, "out_of_range", "amount")),
        ("/payments/{}/captures", {"amount": -1}, (422, "out_of_range", "amount")),
        ("/payments/{}/captures", {"amount": "1"}, (422, "not_a_whole_number", "amount")),
        ("/payments/{}/captures", {"final": "yes"}, (422, "not_true_or_false", "final")),
        ("/payments/{}/captures", {"sum": 1}, (422, "unknown_field", "sum")),
        ("/payments/{}/refunds", {"amount": 4_001}, (422, "amount_too_high", "amount")),
        ("/payments/{}/refunds", {"amount": 10**18}, (422, "out_of_range", "amount")),
        ("/payments/{}/refunds", {"reason": "x" * 256}, (422, "too_long", "reason")),
        ("/payments/{}/refunds", {"reason": "a\x00b"}, (422, "wrong_form", "reason")),
        ("/payments/{}/refunds", {"reason": "to 4242424242424242"}, (422, "card_number_in_text", "reason")),
        ("/customers", {"name": "4242424242424242"}, (422, "card_number_in_text", "name")),
        ("/payments/{}/cancel", {"amount": 1}, (422, "unknown_field", "amount")),
        ("/payments/{}/confirm", {"payment_method": by_card()}, (409, "already_paid", None)),
        ("/payments/{}/confirm", {}, (422, "field_needed", "payment_method")),
        ("/checkouts", {"amount": 1}, (422, "field_needed", "currency")),
        ("/customers", {"email": "a\x00@b.de"}, (422, "wrong_form", "email")),
        ("/customers", {"address": {"country": "de"}}, (422, "wrong_form", "address.country")),
        ("/instruments", {"payment_method": {"type": "paypal"}}, (422, "not_one_of", "payment_method.type")),
    ],
)
def test_every_route_refuses_what_is_wrong(api, payment, path, body, refused):
    assert error_of(api.post(path.format(payment), body)) == refused


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("limit=0", "out_of_range", "limit"),
        ("limit=101", "out_of_range", "limit"),
        ("limit=x", "not_a_whole_number", "limit"),
        ("after=x", "bad_cursor", "after"),
        ("status=lost", "not_one_of", "status"),
        ("created_from=yesterday", "not_a_date", "created_from"),
        ("created_from=1764547200", "not_a_date", "created_from"),
        ("created_from=2026-01-01T00:00:00", "not_a_date", "created_from"),
        ("merchant_reference=%00", "wrong_form", "merchant_reference"),
        ("last4=42", "wrong_form", "last4"),
        ("offset=3", "unknown_field", "offset"),
    ],
)
def test_wrong_filters_are_named(api, query, code, param):
    assert error_of(api.get(f"/payments?{query}")) == (422, code, param)


@pytest.mark.usefixtures("untouched")
def test_ids_of_others_and_of_nothing_are_not_found(api, stranger, app, payment):
    assert Api(app, stranger, stranger.key).get(f"/payments/{payment}").status_code == 404
    for wrong in ("ins_" + "0" * 26, "ins_x", "nonsense", "pay_" + "0" * 26):
        means = {"type": "instrument", "instrument": wrong}
        answer = api.post("/payments", order(payment_method=means))
        assert error_of(answer) == (404, "not_found", "payment_method.instrument")
    assert error_of(api.post("/payments", order(customer="cus_" + "0" * 26))) == (404, "not_found", "customer")
    assert error_of(api.post("/payments", order(shop="shp_" + "0" * 26))) == (404, "not_found", "shop")


def test_a_refusal_quotes_nothing_that_was_sent(api, capsys):
    wrong = [
        having(NUMBER + "1", "payment_method", "card", "number"),
        having({"type": NUMBER}, "payment_method"),
        having(NUMBER, "capture"),
        having(NUMBER, "currency"),
        having(int(NUMBER), "amount"),
        having(NUMBER, NUMBER),
        {NUMBER: NUMBER},
    ]
    with capture_logs() as lines:
        for body in wrong[:5]:
            assert NUMBER not in api.post("/payments", body).text
        assert (
            NUMBER
            not in api.ask("POST", "/payments", data=f'{{"{NUMBER}', headers={"Content-Type": "application/json"}).text
        )
    printed = capsys.readouterr()
    assert NUMBER not in str(lines) + printed.out + printed.err


def test_a_locked_payment_is_503_with_nothing_half_done(api, app):
    """Somebody holds the row for longer than the lock time-out."""
    payment = api.pay()["id"]
    before = state(app)
    with app.app_context(), db.engine.connect() as other:
        other.execute(text("SET zahlwerk.merchants = 'all'; SET zahlwerk.live = 'any'"))
        other.execute(text("SELECT id FROM payments FOR UPDATE"))
        answer = api.post(f"/payments/{payment}/captures", {"amount": 100})
        other.rollback()
    assert error_of(answer) == (503, "unavailable", None)
    assert int(answer.headers["Retry-After"]) > 0
    assert state(app) == before
    assert api.post(f"/payments/{payment}/captures", {"amount": 100}).status_code == 201


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("de-DE,de;q=0.9,en;q=0.5", "Dieses Feld wird gebraucht."),
        ("en", "This field is needed."),
        ("fr", "This field is needed."),
    ],
)
def test_errors_speak_the_language_of_the_caller(api, language, message, german):
    answer = api.post("/payments", {}, headers={"Accept-Language": language})
    assert answer.get_json()["error"]["message"] == message


@pytest.fixture(scope="module")
def german():
    """The catalogue is built, not committed."""
    from tools.translations import compile_

    return compile_()


def test_unknown_addresses_and_methods_are_errors_of_the_api(api):
    client = api.app.test_client()
    unknown = client.get("/v1/nothing")
    assert (unknown.status_code, unknown.get_json()["error"]["code"]) == (404, "no_such_path")
    wrong = client.put("/v1/payments")
    assert wrong.status_code == 405
    assert set(wrong.headers["Allow"].replace(",", " ").split()) >= {"GET", "POST"}


def test_the_books_still_balance(app):
    with app.app_context():
        assert broken_proofs() == {}
