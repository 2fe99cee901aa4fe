"""The newest seal leaves the database: into the log, and to the auditor."""

import json
import re
from dataclasses import replace

import pytest

from app import config
from app.core.db import ALL, atomic
from app.core.events import tell
from app.core.ids import uuid7
from app.core.sequence import sequence
from app.core.verify import verify
from app.messages.smtp import NoMailServer
from jobs import seal_out
from tests.messages.receiving import running_mailbox

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def configured(monkeypatch):
    def use(**changes):
        changed = replace(config.settings(), **changes)
        for module in ("jobs.seal_out", "app.messages.seal_mail"):
            monkeypatch.setattr(f"{module}.settings", lambda: changed)

    return use


@pytest.fixture(autouse=True)
def _something_happened(context):
    with atomic(ALL):
        tell("customer.added", subject=("customer", uuid7()), merchant_id=uuid7(), live=False)
    sequence()


def test_the_newest_seal_is_mailed_and_can_be_compared_with(app, configured, tmp_path):
    with running_mailbox() as mailbox:
        configured(auditor_email="auditor@example.com", smtp_url=mailbox.url)
        assert "sent to the auditor" in seal_out.run(100)
        [message] = mailbox.messages
    newest = verify()
    assert message["To"] == "auditor@example.com"
    text = message.get_content()
    assert f"zahlwerk-seal {newest.events}:{newest.seal.hex()}" in text
    mail = tmp_path / "seal.eml"
    mail.write_text(text)
    done = app.test_cli_runner().invoke(args=["audit", "verify", "--against", str(mail)])
    assert done.exit_code == 0, done.output


def test_it_stands_in_the_log_even_if_the_mail_cannot_be_sent(configured, capsys):
    configured(auditor_email="auditor@example.com", smtp_url="smtp://127.0.0.1:1")
    with pytest.raises(NoMailServer):
        seal_out.run(100)
    line = next(line for line in capsys.readouterr().err.splitlines() if "newest_seal" in line)
    assert re.fullmatch("[0-9a-f]{64}", json.loads(line)["seal"])


def test_without_an_auditor_only_the_log_has_it(configured, capsys):
    configured(auditor_email=None, smtp_url="smtp://127.0.0.1:1")
    assert re.fullmatch(r"\d+:[0-9a-f]{64}", seal_out.run(100))
    assert "newest_seal" in capsys.readouterr().err
