"""The description of the API: true to the code, and true to what is really answered."""

import os
from io import BytesIO

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished
from schemathesis.engine.run import PhaseName

from app.api._callers import needed
from app.api._docs import errors
from app.connectors.kinds import DisputeNews
from app.core.sequence import sequence
from app.messages.events import by_name
from tests import factories, live
from tests.api.conftest import Api, by_card, order
from tests.books import broken_proofs
from tests.documents.files import PDF


@pytest.fixture(scope="module")
def description(app) -> dict:
    return app.test_client().get("/v1/openapi.json").get_json()


def operations(description) -> dict[str, dict]:
    return {
        operation["operationId"]: operation for path in description["paths"].values() for operation in path.values()
    }


def test_it_is_a_valid_openapi_3_1_document_open_to_all(app, description):
    answer = app.test_client().get("/v1/openapi.json")
    assert (answer.status_code, answer.mimetype, description["openapi"]) == (200, "application/json", "3.1.0")
    schemathesis.openapi.from_dict(description).validate()
    again = app.test_client().get("/v1/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_every_route_is_described_with_its_permission(app, description):
    described = {name: operation["x-permission"] for name, operation in operations(description).items()}
    assert described == {endpoint.replace(".", "_").rstrip("_"): word for endpoint, word in needed(app).items()}


def test_every_operation_says_what_it_does_and_what_can_go_wrong(description):
    for name, operation in operations(description).items():
        assert operation["summary"], name
        assert operation["security"] == [{"key": []}], name
        assert {"401", "403", "429", "500", "503"} <= set(operation["responses"]), name
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= set(operation["responses"]), name


def test_every_reference_leads_somewhere(description):
    def references(node):
        if isinstance(node, dict):
            for name, value in node.items():
                if name == "$ref":
                    yield value
                else:
                    yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in set(references(description)):
        found = description
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def test_every_public_event_is_described_as_a_webhook(description):
    assert set(description["webhooks"]) == set(by_name())
    for name, hook in description["webhooks"].items():
        content = hook["post"]["requestBody"]["content"]["application/json"]
        assert content["example"]["type"] == name
        parameters = {parameter["name"] for parameter in hook["post"]["parameters"]}
        assert parameters == {"webhook-id", "webhook-timestamp", "webhook-signature"}


def test_examples_of_requests_are_accepted(app, tenant, description):
    api = Api(app, tenant, tenant.key)
    for path in ("/payments", "/checkouts", "/customers", "/instruments", "/webhook_endpoints"):
        body = description["paths"][f"/v1{path}"]["post"]["requestBody"]["content"]["application/json"]
        assert api.post(path, body["example"]).status_code == 201, path
    payment = api.pay()["id"]
    for path, status in (("captures", 201), ("refunds", 201)):
        rule = description["paths"][f"/v1/payments/{{payment_id}}/{path}"]["post"]
        example = rule["requestBody"]["content"]["application/json"]["example"]
        assert api.post(f"/payments/{payment}/{path}", example).status_code == status


@pytest.fixture(scope="module")
def page(app) -> str:
    return app.test_client().get("/docs?lang=en").text


class TestDocs:
    def test_they_load_nothing_from_elsewhere_and_run_no_script(self, app):
        answer = app.test_client().get("/docs")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
        assert "<script" not in answer.text
        assert "<style" not in answer.text and "style=" not in answer.text
        assert app.test_client().get("/docs/static/docs.css").status_code == 200

    def test_every_operation_event_and_error_has_its_place(self, page, description):
        for name in operations(description):
            assert f'id="{name}"' in page
        for name in by_name():
            assert f'id="event-{name}"' in page
        for name in ("amount_too_high", "idempotency_key_reused", "key_needed", "internal_error", "body_too_large"):
            assert f'id="error-{name}"' in page

    def test_the_link_in_an_error_leads_to_it(self, page, api):
        link = api.post("/payments", {}).get_json()["error"]["doc_url"]
        assert link.startswith("http://localhost:8700/docs#")
        assert f'id="{link.partition("#")[2]}"' in page

    def test_they_speak_german(self, app):
        from tools.translations import compile_

        compile_()
        client = app.test_client()
        assert '<html lang="de">' in client.get("/docs?lang=de").text
        assert "Erste Schritte" in client.get("/docs", headers={"Accept-Language": "de"}).text

    def test_no_code_is_used_for_two_statuses(self, app):
        with app.test_request_context():
            statuses = {}
            for entry in errors():
                assert statuses.setdefault(entry.code, entry.status) == entry.status


# Requests made up by schemathesis from the description, right and wrong ones, always the same.


@pytest.fixture(scope="module")
def ids(app, tenant) -> dict[str, str]:
    """Real ids, so that more than 404 is met."""
    api = Api(app, tenant, tenant.key)
    endpoint = api.post("/webhook_endpoints", {"url": "https://shop.example/hooks"}).get_json()["id"]
    payment = api.pay()["id"]
    with app.app_context():
        _dispute(tenant)
        sequence()
    dispute = api.get("/disputes").get_json()["data"][0]["id"]
    file = {"kind": "receipt", "file": (BytesIO(PDF), "receipt.pdf")}
    return {
        "payment_id": payment,
        "operation_id": api.get(f"/payments/{payment}/operations").get_json()["data"][0]["id"],
        "checkout_id": api.post("/checkouts", order()).get_json()["id"],
        "customer_id": api.post("/customers", {}).get_json()["id"],
        "instrument_id": api.post("/instruments", {"payment_method": by_card()}).get_json()["id"],
        "dispute_id": dispute,
        "document_id": api.post(f"/disputes/{dispute}/evidence", data=file).get_json()["id"],
        "endpoint_id": endpoint,
        "delivery_id": api.post(f"/webhook_endpoints/{endpoint}/test").get_json()["id"],
        "event_id": api.get("/events").get_json()["data"][0]["id"],
    }


def _dispute(tenant) -> None:
    done = factories.captured(tenant)
    reference = factories.authorisation_of(done)["provider_reference"]
    news = DisputeNews(turn="inquiry", provider_reference="case-1", reason="fraudulent")
    more = {"reference": reference, "dispute": news, "authorisation_reference": reference}
    assert factories.hear(tenant, done, "dispute", "approved", 10_000, **more)


# The same requests every time, and few, in `make test`; `make nightly` makes up many others each night.
EXAMPLES = int(os.environ.get("SPEC_EXAMPLES", "12"))
SEED = int(os.environ.get("SPEC_SEED", "1"))


@pytest.mark.timeout(600 if EXAMPLES <= 12 else 7200)
def test_no_request_breaks_the_promises_of_the_description(app, tenant, ids, tmp_path):
    """Business says no to much that has the right form (no contract for this currency, nothing left to capture), with
    404, 409 and 422 as described; so it is not asked that every request of the right form succeeds."""
    print(f"seed {SEED}, {EXAMPLES} examples of each")  # shown when it fails: SPEC_SEED tries the same again
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "workers": 1,
            "headers": {"Authorization": f"Bearer {tenant.key}"},
            "parameters": ids,
            "generation": {
                "max-examples": EXAMPLES,
                "deterministic": "SPEC_SEED" not in os.environ,
                "database": "none",
                "no-shrink": True,
            },
            # walks from answer to answer: a payment that was made is read, captured, refunded
            "phases": {"stateful": {"enabled": True, "generation": {"max-examples": max(2, EXAMPLES // 4)}}},
            "checks": {"positive_data_acceptance": {"enabled": False}},
        }
    )
    with live.serving(tmp_path / "server.log", API_REQUESTS_PER_MINUTE="1000000") as site:
        schema = schemathesis.openapi.from_url(f"{site.url}/v1/openapi.json", config=config)
        tried, walks, broken = set(), 0, []
        for event in from_schema(schema).execute():
            if isinstance(event, NonFatalError | FatalError):
                broken.append(repr(event))
            if isinstance(event, ScenarioFinished):
                if event.phase is PhaseName.STATEFUL_TESTING:
                    walks += 1
                else:
                    tried.add(event.recorder.label)
                broken += [f"{event.recorder.label}: {failure}" for failure in failures(event)]
    assert broken == []
    assert walks > 0
    assert tried == {result.ok().label for result in schema.get_all_operations()}


def failures(event: ScenarioFinished) -> list[str]:
    checks = [check for checks in event.recorder.checks.values() for check in checks if check.failure_info]
    return [f"{check.failure_info.failure}\n{check.failure_info.code_sample}" for check in checks if check.failure_info]


def test_the_books_balance_after_all_that(app):
    with app.app_context():
        assert broken_proofs() == {}
