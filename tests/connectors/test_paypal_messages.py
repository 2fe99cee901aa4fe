"""Every message word for word: what goes to PayPal, and what is made of the answers PayPal documents."""

import dataclasses
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.connectors import paypal
from app.connectors.kinds import Authorise, Cancel, Capture, Contract, Refund, Register, Resume
from tests.connectors.peers.paypal import contract_with

GOLDEN = Path(__file__).parent / "golden" / "paypal"
ASKS = {"register": Register, "authorise": Authorise, "capture": Capture, "refund": Refund, "cancel": Cancel}


class Scripted:
    """A peer that notes each request and gives the next scripted answer; access tokens it gives unscripted."""

    def __init__(self, answers: list[dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def do_GET(self) -> None:
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                status, answer = scripted.answer(self.command, self.path, dict(self.headers), body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        if path == "/v1/oauth2/token":
            assert body == b"grant_type=client_credentials"
            return 200, {"access_token": "A21AAGolden", "token_type": "Bearer", "expires_in": 32400}
        self.headers.append(headers)
        self.requests.append(
            {
                "method": method,
                "path": path,
                "request_id": headers.get("PayPal-Request-Id"),
                "body": json.loads(body) if body else None,
            }
        )
        step = self.answers.pop(0)
        return step["status"], step["body"]


@pytest.fixture
def scripted() -> Iterator[Any]:
    servers: list[ThreadingHTTPServer] = []

    def start(answers: list[dict[str, Any]]) -> tuple[Scripted, Contract]:
        peer = Scripted(answers)
        threading.Thread(target=peer.server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(peer.server)
        return peer, contract_with(peer.url)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.json")), ids=lambda file: file.stem)
def test_each_message_is_written_and_read_as_paypal_documents_it(file: Path, scripted: Any) -> None:
    golden = json.loads(file.read_text())
    peer, contract = scripted([step["answer"] for step in golden["steps"]])
    verb = golden["ask"].pop("verb")
    if "resume" in golden["ask"]:
        golden["ask"]["resume"] = Resume(**golden["ask"]["resume"])

    answer = getattr(paypal, verb)(contract, ASKS[verb](**golden["ask"]))

    assert peer.requests == [step["request"] for step in golden["steps"]]
    found = dataclasses.asdict(answer)
    found["valid_for_seconds"] = answer.valid_for / timedelta(seconds=1) if answer.valid_for else None
    expected = golden["expect"]
    action = expected.pop("action", {})
    assert {name: found[name] for name in expected} == expected
    assert {name: found["action"][name] for name in action} == action


def test_every_call_carries_the_bearer_token_and_asks_for_the_whole_thing(scripted: Any) -> None:
    golden = json.loads((GOLDEN / "capture.json").read_text())
    peer, contract = scripted([golden["steps"][0]["answer"]])
    golden["ask"].pop("verb")
    paypal.capture(contract, Capture(**golden["ask"]))
    assert peer.headers[0]["Authorization"] == "Bearer A21AAGolden"
    assert peer.headers[0]["Prefer"] == "return=representation"
    assert peer.headers[0]["Content-Type"] == "application/json"
