"""Keys that seal are rotated while the product runs: nothing is forgotten, nothing is lost, a killed run goes on."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from passlib.totp import TOTP
from sqlalchemy import LargeBinary, insert, select, text, update

from app.approvals import decide
from app.approvals.kinds import PARAMS_SEALED_AS
from app.approvals.models import ApprovalRequest
from app.config import settings
from app.core import inbox, ring, rotate, vault
from app.core.clock import now
from app.core.db import ALL, Model, atomic, of, reading, table_of
from app.core.ids import uuid7
from app.core.inbox import InboxMessage
from app.customers.instruments import tokens
from app.documents.keep import keep
from app.documents.read import read
from app.exports import pieces
from app.exports.models import EXPORTS
from app.merchants import contracts
from app.messages.endpoints import rotate_secret
from app.payments.note import note, of_payment
from app.payments.queries import CONTRACTS
from app.risk import take
from app.staff import authenticator
from app.staff.add import add_user
from app.staff.second_factor import FACTORS
from tests import factories
from tests.conftest import ROOT
from tests.customers.test_register import ask as registered
from tests.documents.files import PDF
from tests.messages import steps

# Binary columns that are not sealed: hashes, fingerprints and pictures that everybody may see.
NOT_SEALED = {
    *("api_keys.digest", "block_entries.fingerprint", "documents.sha256", "event_details.salt", "event_log.seal"),
    *("events.details_digest", "idempotency_keys.fingerprint", "inbox.digest", "instruments.fingerprint"),
    *("authorisations.card_fingerprint", "mails.recipient_index", "shops.logo"),
    *("staff_webauthn.credential_id", "staff_webauthn.public_key"),
}
MANY = 240
REQUESTS = table_of(ApprovalRequest)


@pytest.fixture(scope="module")
def key_file(app, tmp_path_factory) -> Path:
    """A key file of this module's own."""
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    shutil.copy(os.environ["ZAHLWERK_KEYS_FILE"], file)
    file.chmod(0o600)
    patch = pytest.MonkeyPatch()
    patch.setenv("ZAHLWERK_KEYS_FILE", str(file))
    patch.setattr(ring, "LOOK_EVERY_SECONDS", 0.0)
    patch.setattr(ring, "_UNKNOWN_EVERY_SECONDS", 0.0)
    settings.cache_clear()
    yield file
    patch.undo()
    settings.cache_clear()


@pytest.fixture
def flask(app, key_file):
    """flask("keys", "status"): what it printed. Fails with it."""

    def run(*words: str, code: int = 0) -> str:
        os.utime(key_file, (0, 0))  # long enough ago for every process to know it
        done = app.test_cli_runner().invoke(args=list(words))
        assert done.exit_code == code, done.output
        return done.output

    return run


@pytest.fixture
def filled(app, key_file, acquirers):
    """Something in every sealed column. Returns what reads it all again, as its rooms do."""
    with app.app_context():
        tenant = factories.tenant(acquirers["A"], notify_email="shop@example.com")
        of_tenant = of(tenant.merchant_id, False)
        instrument = registered(tenant)
        payment = factories.authorised(tenant, 2_000)
        endpoint, _ = steps.endpoint(tenant.merchant_id, "http://127.0.0.1:9/in")
        steps.relay_all()
        subject = ("thing", uuid7())
        with atomic(of_tenant) as connection:
            rotate_secret(connection, endpoint_id=endpoint, actor="test")
            take.take(
                connection,
                merchant_id=tenant.merchant_id,
                live=False,
                payment_id=payment.payment["id"],
                step="details",
                answer={"name": "Erika"},
            )
            document = keep(
                connection,
                subject=subject,
                merchant_id=tenant.merchant_id,
                live=False,
                kind="receipt",
                filename="Beleg.pdf",
                content=PDF,
                data={},
                actor="test",
            )
            note(connection, payment.payment["id"], said="called back", actor="test")
            _messages(connection, tenant, MANY)
        with atomic(ALL) as connection:
            staff_id, secret = _second_factor(connection)
            export_id, request_id = _export(connection, staff_id), _approved(connection)

    def look() -> None:
        assert list(pieces.contents(export_id, "file")) == [b"amount;currency"]
        with reading(ALL) as connection:
            assert _totp_of(connection, staff_id) == secret
            sealed = connection.execute(select(REQUESTS.c.sealed).where(REQUESTS.c.id == request_id)).scalar_one()
            assert vault.unseal(sealed, decide._SEALED_AS) == b"sk_test_new"
            params = select(REQUESTS.c.sealed_params).where(REQUESTS.c.id == request_id)
            assert vault.unseal_json(connection.execute(params).scalar_one(), PARAMS_SEALED_AS) == {"api_key": "new"}
        with atomic(of_tenant) as connection:
            row = connection.execute(select(CONTRACTS).where(CONTRACTS.c.id == tenant.contract_id)).mappings().one()
            assert contracts.opened(row).settings["api_key"]
            assert take.taken(connection, payment.payment["id"], "details") == {"name": "Erika"}
            assert tokens(connection, instrument["id"])[1]
            assert [one["said"] for one in of_payment(connection, payment.payment["id"])] == ["called back"]
            assert read(connection, document["id"], subject=subject, data={}, actor="test")[1] == PDF
            kept = select(InboxMessage.sealed).where(InboxMessage.sealed != b"")
            bodies = [inbox.opened(sealed)[1] for sealed in connection.execute(kept).scalars()]
            assert sorted(bodies) == sorted(f'{{"number": {number}}}'.encode() for number in range(MANY))

    look.tenant, look.endpoint = tenant, endpoint  # type: ignore[attr-defined]
    return look


def _second_factor(connection) -> tuple[UUID, str]:
    """Somebody of the staff with an authenticator app."""
    staff_id = add_user(
        connection, email="rotated@example.com", password="ein-langes-passwort", roles=["support"], actor="test"
    )
    secret = authenticator.new_secret()
    authenticator.set_up(connection, staff_id, secret, TOTP(key=secret).generate(now()).token)
    return staff_id, secret


def _totp_of(connection, staff_id: UUID) -> str:
    sealed = connection.execute(select(FACTORS.c.totp_sealed).where(FACTORS.c.user_id == staff_id)).scalar_one()
    return vault.unseal(sealed, authenticator.CONTEXT).decode()


def _export(connection, staff_id: UUID) -> UUID:
    """An export with one piece."""
    row = {
        "id": uuid7(),
        "asked_by": staff_id,
        "actor": "test",
        "form": "csv",
        "language": "en",
        "timezone": "UTC",
        "live": False,
        "merchants": None,
        "filters": {},
        "columns": ["amount"],
        "oldest_first": True,
        "state": "ready",
        "asked_at": now(),
    }
    connection.execute(insert(EXPORTS).values(row))
    pieces.keep(connection, row["id"], "file", 1, b"amount;currency")
    return row["id"]


def _approved(connection) -> UUID:
    """An approved request whose maker has not yet looked at the secret it made."""
    row = {
        "id": uuid7(),
        "action": "key_issue",
        "subject_id": uuid7(),
        "params": {},
        "facts": {},
        "why": {},
        "state": "executed",
        "step": 1,
        "maker": "staff:usr_x",
        "reason": "test",
        "sealed": vault.seal(b"sk_test_new", decide._SEALED_AS),
        "sealed_params": vault.seal_json({"api_key": "new"}, PARAMS_SEALED_AS),
        "requested_at": now(),
        "expires_at": now(),
    }
    connection.execute(insert(REQUESTS).values(row))
    return row["id"]


def _messages(connection, tenant, many: int) -> None:
    for number in range(many):
        inbox.keep(
            connection,
            merchant_id=tenant.merchant_id,
            live=False,
            contract_id=tenant.contract_id,
            provider="sandbox_card",
            headers={"signature": "none"},
            body=f'{{"number": {number}}}'.encode(),
        )


def test_every_binary_column_is_sealed_or_known_not_to_be():
    binary = {
        f"{table.name}.{column.name}": "sealed" in column.info
        for table in Model.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    undecided = {name for name, is_sealed in binary.items() if not is_sealed} - NOT_SEALED
    assert undecided == set(), "give it info=vault.sealed(...), and a value in `filled`, or list it as not sealed"
    assert {name for name, is_sealed in binary.items() if is_sealed} & NOT_SEALED == set()


def test_keys_are_rotated_under_load_by_a_run_that_is_killed_and_one_that_ends(app, key_file, flask, filled):
    assert "key 1: " in flask("keys", "status")
    assert "key 2 is in" in flask("keys", "add")
    assert key_file.stat().st_mode & 0o077 == 0
    os.utime(key_file, (0, 0))
    _killed_after_its_first_steps(key_file)
    with app.app_context():
        before = rotate.in_use()
        assert set(before["inbox.sealed"]) == {1, 2}, "killed in the middle"
        filled()
    with _load(app, filled) as faults:
        said = flask("keys", "rotate", "--rows", "20", "--settle", "0")
    assert faults == []
    assert "Everything is sealed with key 2" in said
    assert "May be taken out of the key file, on every host: 1" in said
    with app.app_context():
        after = rotate.in_use()
        assert {name for name, counted in after.items() if not counted} == set(), "`filled` lacks a value for these"
        assert all(set(counted) == {2} for counted in after.values()), after
        assert after.keys() == before.keys() and after["inbox.sealed"].total() == MANY
        assert _told("keys.rotated")[0]["newest"] == 2
    _take_out(key_file, "1")
    with app.app_context():
        filled()


def _killed_after_its_first_steps(key_file: Path) -> None:
    """`flask keys rotate` as a process of its own; SIGKILL when it has begun with the many messages."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "keys", "rotate", "--rows", "4"],
        cwd=ROOT,
        env={**os.environ, "ZAHLWERK_KEYS_FILE": str(key_file)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if line.strip() == "inbox: 12 rows":
            break
    else:
        raise AssertionError("it ended without having met the messages")
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()


class _load:
    """The product at work: secrets change, everything is read, again and again. Yields what went wrong."""

    def __init__(self, app, look) -> None:
        self._app, self._look = app, look
        self._over, self._faults, self._rounds = threading.Event(), [], Counter()
        self._threads = [threading.Thread(target=self._run, args=(work,)) for work in (self._read, self._write)]

    def __enter__(self) -> list[BaseException]:
        for thread in self._threads:
            thread.start()
        return self._faults

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)
        assert self._rounds["_read"] > 1 and self._rounds["_write"] > 1

    def _run(self, work) -> None:
        with self._app.app_context():
            while not self._over.is_set():
                try:
                    work()
                except BaseException as fault:
                    self._faults.append(fault)
                    return
                self._rounds[work.__name__] += 1

    def _read(self) -> None:
        self._look()

    def _write(self) -> None:
        with atomic(of(self._look.tenant.merchant_id, False)) as connection:
            rotate_secret(connection, endpoint_id=self._look.endpoint, actor="test")


def _told(name: str) -> list[dict]:
    with reading(ALL) as connection:
        return list(
            connection.execute(text("SELECT data FROM events WHERE name = :name ORDER BY id"), {"name": name}).scalars()
        )


def _take_out(key_file: Path, number: str) -> None:
    content = json.loads(key_file.read_text())
    del content["vault"][number]
    key_file.write_text(json.dumps(content))


def _add(key_file: Path, flask) -> int:
    flask("keys", "add")
    return max(int(number) for number in json.loads(key_file.read_text())["vault"])


def test_a_row_that_somebody_holds_is_met_in_the_next_pass(app, key_file, flask, acquirers):
    newest = _add(key_file, flask)
    with app.app_context():
        tenant = factories.tenant(acquirers["A"])
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with app.app_context(), atomic(ALL) as connection:
            mine = CONTRACTS.c.id == tenant.contract_id
            connection.execute(select(CONTRACTS.c.id).where(mine).with_for_update())
            held.set()
            released.wait(20)

    with app.app_context():
        # Sealed with a key of yesterday, so that there is something to do.
        with atomic(ALL) as connection:
            row = connection.execute(select(CONTRACTS).where(CONTRACTS.c.id == tenant.contract_id)).mappings().one()
            settings_ = contracts.opened(row).settings
            connection.execute(
                update(CONTRACTS)
                .where(CONTRACTS.c.id == tenant.contract_id)
                .values(settings_sealed=_sealed_with(newest - 1, settings_, contracts.CONTEXT))
            )
        holder = threading.Thread(target=hold)
        holder.start()
        assert held.wait(10)
        threading.Timer(0.3, released.set).start()
        outcome = rotate.rotate(actor="test")
        holder.join(20)
        assert outcome.left.total() == 0 and newest - 1 in outcome.may_be_taken_out()
        assert rotate.in_use()["contracts.settings_sealed"].keys() == {newest}


def _sealed_with(number: int, value: object, context: str) -> bytes:
    nonce, plain = os.urandom(12), json.dumps(value).encode()
    return bytes([number]) + nonce + AESGCM(ring.ring()[number]).encrypt(nonce, plain, context.encode())


def test_what_cannot_be_opened_is_named_and_stops_nothing_else(app, key_file, flask, acquirers):
    newest = _add(key_file, flask)
    with app.app_context():
        tenant = factories.tenant(acquirers["A"])
        with atomic(of(tenant.merchant_id, False)) as connection:
            connection.execute(
                update(CONTRACTS)
                .where(CONTRACTS.c.id == tenant.contract_id)
                .values(settings_sealed=bytes([200]) + os.urandom(60))
            )
    said = flask("keys", "rotate", "--settle", "0", code=1)
    assert "cannot be opened with the keys that are there: 1 of contracts" in said
    assert "key 200 is still needed by 1 values" in said
    assert "lacks 200" in flask("keys", "status", code=1)
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(
            update(CONTRACTS)
            .where(CONTRACTS.c.id == tenant.contract_id)
            .values(settings_sealed=contracts.sealed_settings("sandbox_card", acquirers["A"].settings))
        )
    assert f"Everything is sealed with key {newest}" in flask("keys", "rotate", "--settle", "0")


def test_a_process_that_meets_a_newer_key_reads_the_file_again(key_file):
    fresh = os.urandom(32)
    newest = max(ring.ring()) + 1
    content = json.loads(key_file.read_text())
    content["vault"][str(newest)] = base64.b64encode(fresh).decode()
    nonce = os.urandom(12)
    sealed = bytes([newest]) + nonce + AESGCM(fresh).encrypt(nonce, b"new", b"here")
    with pytest.raises(vault.CannotOpen):
        vault.unseal(sealed, "here")
    key_file.write_text(json.dumps(content))
    assert vault.unseal(sealed, "here") == b"new"
    assert vault.seal(b"x", "here")[0] == newest


def test_a_key_file_that_is_being_written_changes_nothing(key_file):
    sealed, before = vault.seal(b"x", "here"), key_file.read_text()
    key_file.write_text(before[:40])
    assert vault.unseal(sealed, "here") == b"x"
    key_file.write_text(before)
    assert vault.unseal(vault.seal(b"y", "here"), "here") == b"y"
