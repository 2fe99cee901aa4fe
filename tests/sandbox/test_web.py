"""The sandbox's web app: what it finds beside itself, its start page, and how it is started."""

import json
import os
import smtplib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from sandbox.web import create_app

ROOT = Path(__file__).parents[2]


def test_the_start_page_leads_to_everything_that_has_pages(tmp_path: Path) -> None:
    client = create_app(tmp_path).test_client()
    german = client.get("/").get_data(as_text=True)
    assert "Die Außenwelt, nachgebaut" in german
    for path in ("/shop/", "/mail/", "/webhooks/", "/paypal/"):
        assert f'href="{path}"' in german
        assert client.get(path).status_code == 200
    assert "The outside world, rebuilt" in client.get("/?lang=en").get_data(as_text=True)


def test_the_language_is_remembered(tmp_path: Path) -> None:
    client = create_app(tmp_path).test_client()
    client.get("/?lang=en")
    assert '<html lang="en"' in client.get("/mail/").get_data(as_text=True)
    client.get("/?lang=de")
    assert '<html lang="de"' in client.get("/mail/").get_data(as_text=True)


def test_a_package_without_attach_breaks_nothing(tmp_path: Path) -> None:
    app = create_app(tmp_path)  # sandbox.acquirers are processes of their own
    assert "acquirers" not in app.blueprints


class TestStarted:
    """The real thing: `python -m sandbox`, its worker, its mail catcher."""

    def test_it_serves_pages_catches_mail_and_forgets_nothing(self, tmp_path: Path) -> None:
        with started(tmp_path) as (url, smtp):
            send_mail(smtp, "Erste Mail")
            assert [mail["subject"] for mail in get_json(f"{url}/mail/messages.json")] == ["Erste Mail"]
            body = b'{"type":"payment.captured"}'
            urllib.request.urlopen(f"{url}/webhooks/in/cafe", body, timeout=5).close()
        with started(tmp_path) as (url, _):
            assert [mail["subject"] for mail in get_json(f"{url}/mail/messages.json")] == ["Erste Mail"]
            assert [one["type"] for one in get_json(f"{url}/webhooks/messages.json")] == ["payment.captured"]

    def test_a_killed_server_leaves_nobody_on_its_ports(self, tmp_path: Path) -> None:
        with started(tmp_path) as (url, smtp):
            first = processes[-1]
            first.kill()
            first.wait()
            port = int(url.rpartition(":")[2])
            for number in (port, smtp):
                wait_until(lambda number=number: not listens(number))


processes: list[subprocess.Popen[bytes]] = []


@contextmanager
def started(home: Path) -> Iterator[tuple[str, int]]:
    port, smtp = free_port(), free_port()
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--smtp-port", str(smtp)]
    environment = {**os.environ, "ZAHLWERK_HOME": str(home)}
    environment.pop("SANDBOX_URL", None)
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    processes.append(process)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{url}/healthz") and listens(smtp))
        yield url, smtp
    finally:
        process.terminate()
        assert process.wait(timeout=15) is not None


def wait_until(true, seconds: float = 20) -> None:
    """Looks again every 50 ms. Fails with what did not come true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def get_json(url: str):
    with urllib.request.urlopen(url, timeout=5) as response:
        return json.load(response)


def send_mail(port: int, subject: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", subject
    message.set_content("Guten Tag")
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as server:
        server.send_message(message)


@pytest.mark.parametrize("content", [None, "not json", "[]", '{"shops": 5}', '{"shops": [7, {"slug": "x"}]}'])
def test_a_demo_file_that_is_missing_or_unreadable_is_no_shops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "demo.json").write_text(content)
    monkeypatch.setenv("ZAHLWERK_DEMO_FILE", str(tmp_path / "demo.json"))
    client = create_app(tmp_path / "journals").test_client()
    for path in ("/", "/shop/cafe-morgenrot/", "/webhooks/", "/shop/cafe-morgenrot/basket"):
        assert client.get(path).status_code == 200
