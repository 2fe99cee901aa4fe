"""The mail catcher: what comes in by SMTP is shown whole and runs nothing."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask.testing import FlaskClient

from sandbox.mail import Catcher, Mailbox
from sandbox.web import create_app
from tests.sandbox.test_web import free_port


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return create_app(tmp_path / "journals").test_client()


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[Any]:
    port = free_port()
    controller = Controller(Catcher(Mailbox(tmp_path / "mail")), "127.0.0.1", port)
    controller.start()

    def send(message: EmailMessage, recipients: list[str] | None = None) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as server:
            server.send_message(message, to_addrs=recipients)

    yield send
    controller.stop()


def receipt(subject: str = "Ihre Zahlung über 49,70 €") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Café Morgenrot <no-reply@zahlwerk.example>"
    message["To"] = "erika@example.org"
    message["Subject"] = subject
    message.set_content("Danke!\nBeleg: http://localhost:8700/pay/receipt/abc.\n")
    message.add_alternative(
        '<p>Danke!</p><script>alert(1)</script><a href="http://localhost:8700/x?a=1&amp;b=2">Beleg</a>', subtype="html"
    )
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Beleg.pdf")
    return message


def test_a_message_is_kept_with_text_html_links_and_attachments(client: FlaskClient, smtp: Any) -> None:
    smtp(receipt(), ["erika@example.org", "bcc@example.org"])
    [mail] = client.get("/mail/messages.json").json
    assert mail["subject"] == "Ihre Zahlung über 49,70 €"
    assert mail["to"] == ["erika@example.org", "bcc@example.org"]
    assert mail["text"].startswith("Danke!") and "<p>Danke!</p>" in mail["html"]
    assert mail["links"] == ["http://localhost:8700/pay/receipt/abc", "http://localhost:8700/x?a=1&b=2"]
    assert mail["attachments"] == [{"name": "Beleg.pdf", "type": "application/pdf", "bytes": 8}]
    assert client.get(f"/mail/{mail['id']}/attachments/0").data == b"%PDF-1.7"
    assert client.get(f"/mail/{mail['id']}/attachments/1").status_code == 404
    assert b"Subject: " in client.get(f"/mail/{mail['id']}/raw").data


def test_the_page_shows_text_and_html_side_by_side_and_runs_nothing(client: FlaskClient, smtp: Any) -> None:
    smtp(receipt())
    [mail] = client.get("/mail/messages.json").json
    page = client.get(f"/mail/{mail['id']}").get_data(as_text=True)
    assert '<iframe class="mail-html" sandbox="allow-popups"' in page
    assert "Danke!" in page and "alert(1)" not in page
    shown = client.get(f"/mail/{mail['id']}/html")
    assert shown.headers["Content-Security-Policy"].startswith("sandbox allow-popups; default-src 'none'")


def test_newest_first_and_found_by_search_or_recipient(client: FlaskClient, smtp: Any) -> None:
    smtp(receipt("Erste"))
    smtp(receipt("Zweite"), ["haendler@example.org"])
    assert [mail["subject"] for mail in client.get("/mail/messages.json").json] == ["Zweite", "Erste"]
    assert [mail["subject"] for mail in client.get("/mail/messages.json?q=erste").json] == ["Erste"]
    found = client.get("/mail/messages.json?to=haendler@example.org").json
    assert [mail["subject"] for mail in found] == ["Zweite"]
    assert "Erste" not in client.get("/mail/?q=zweite").get_data(as_text=True)


def test_deleting_empties_the_box(client: FlaskClient, smtp: Any) -> None:
    smtp(receipt())
    assert client.delete("/mail/messages.json").json == {"deleted": 1}
    assert client.get("/mail/messages.json").json == []
    assert "Noch keine E-Mail" in client.get("/mail/").get_data(as_text=True)


@pytest.mark.parametrize("name", ["../../etc/passwd", "nope", "0000000000000000000-00000000"])
def test_an_unknown_message_is_not_found(client: FlaskClient, name: str) -> None:
    for path in (f"/mail/{name}", f"/mail/{name}/html", f"/mail/{name}/raw"):
        assert client.get(path).status_code == 404


def test_a_message_of_bytes_nobody_can_read_is_shown_all_the_same(client: FlaskClient, tmp_path: Path) -> None:
    Mailbox(tmp_path / "mail").deliver("", [], b"\xff\xfe no headers\r\n\r\n\x00\xff")
    assert len(client.get("/mail/messages.json").json) == 1
    assert client.get("/mail/").status_code == 200
