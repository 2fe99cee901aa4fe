"""No card number, security code or secret is anywhere: not in the database, its files, its WAL, Valkey's AOF or a log.

Every published card pays once through the API; then the dump, the data directory with its WAL, the
append-only file and all logs are searched for each number in every usual spelling, for a security code
that is used nowhere else, and for every secret. Planted canaries prove that the search would find them.
"""

import base64
import json
import re
import secrets
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from sqlalchemy import make_url

from sandbox.acquirers.cards import CARDS
from tests.stories.stack import Stack, wait_until
from tools.stack.binaries import postgres_binaries

SHOP = "nordlicht-outdoor"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def paid(stack) -> dict[str, str]:
    """Pays with every card; plants the canaries. Returns what else must (not) be found."""
    shop = stack.shop(SHOP)
    headers = {"Authorization": f"Bearer {shop['api_key']}"}
    code = _unused_code(stack)

    def pay(number: str, security_code: str) -> int:
        card = {"number": number, "expiry_month": 12, "expiry_year": 2034, "security_code": security_code}
        body = {
            "amount": 1_900,
            "currency": "EUR",
            "merchant_reference": "secrets",
            "capture": "manual",
            "store": True,
            "payment_method": {"type": "card", "card": card},
        }
        return stack.post("/v1/payments", body, **headers)[0]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda card: pay(card.number, card.security_code), CARDS))
    assert set(answers) <= {201, 202}, answers
    spaced = "3782 822463 10005"
    assert pay(spaced, code) == 201
    assert pay("4242424242424241", "123") == 422  # a wrong check digit: refused, and must not end in a log either
    canary = f"canary{secrets.token_hex(8)}"
    assert stack.post("/v1/customers", {"name": canary}, **headers)[0] == 201
    redis.Redis.from_url(stack.facts["redis_url"]).set(canary, "1", ex=600)
    return {"code": code, "canary": canary}


def _unused_code(stack: Stack) -> str:
    """Four digits that do not stand alone anywhere yet."""
    before = [blob for _, blob in _everything(stack)]
    for _ in range(200):
        code = f"{secrets.randbelow(9000) + 1000}"
        if not any(_alone(code).search(blob) for blob in before):
            return code
    raise AssertionError("every four digits are in use")


def _alone(code: str) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![0-9A-Za-z.])" + code.encode() + rb"(?![0-9A-Za-z])")


def test_the_search_finds_what_was_planted(stack, paid):
    found = {place for place, blob in _everything(stack) if paid["canary"].encode() in blob}
    assert "dump" in found
    assert "valkey" in found
    assert any("pg_wal" in place for place in found), "the WAL is searched"
    assert any("/base/" in place for place in found), "the tables' files are searched"
    assert any(place.startswith("log/") and blob.strip() for place, blob in _everything(stack)), "logs are searched"


def test_no_card_number_is_anywhere(stack, paid):
    assert _places(stack, {card.number: _spellings(card.number) for card in CARDS}) == {}


def test_no_security_code_is_anywhere(stack, paid):
    pattern = _alone(paid["code"])
    assert [place for place, blob in _everything(stack) if pattern.search(blob)] == []


def test_no_secret_is_anywhere(stack, paid):
    keys = json.loads(Path(stack.facts["keys"]).read_text())
    wanted = {
        **{f"api key of {shop['slug']}": [shop["api_key"].encode()] for shop in stack.demo["shops"]},
        **{f"webhook secret of {shop['slug']}": [shop["webhook_secret"][6:].encode()] for shop in stack.demo["shops"]},
        **{f"password of {user['email']}": [user["password"].encode()] for user in stack.demo["admin"]["users"]},
        **{f"acquirer key {letter}": [f"sandbox-key-of-acquirer-{letter}".encode()] for letter in "ABCE"},
        **{f"news secret {letter}": [f"sandbox-news-secret-of-acquirer-{letter}".encode()] for letter in "ABCE"},
        **{f"key {name}": [value.encode(), base64.b64decode(value)] for name, value in _flat(keys)},
    }
    assert _places(stack, wanted) == {}


def _places(stack: Stack, wanted: dict[str, list[bytes]]) -> dict[str, list[str]]:
    """What was found, and where."""
    found: dict[str, list[str]] = {}
    for place, blob in _everything(stack):
        for name, spellings in wanted.items():
            if any(spelling in blob for spelling in spellings):
                found.setdefault(name, []).append(place)
    return found


def _spellings(number: str) -> list[bytes]:
    """Plain, spaced, dashed, URL-encoded and base64 at all three alignments."""
    groups = [number[:4], number[4:10], number[10:]] if len(number) == 15 else re.findall("....", number)
    texts = [number, *(sign.join(groups) for sign in (" ", "-", "+", "%20", "\u00a0"))]
    texts.append(quote(" ".join(groups)))
    encoded = []
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + number.encode())
        encoded.append(whole[4 if shift else 0 : len(whole) - 4])
    return list(dict.fromkeys([*(text_.encode() for text_ in texts), *encoded]))


def _flat(keys: dict) -> Iterator[tuple[str, str]]:
    for name, value in keys.items():
        yield from _flat(value) if isinstance(value, dict) else [(name, value)]


def _everything(stack: Stack) -> Iterable[tuple[str, bytes]]:
    """(place, bytes) of all that the product writes."""
    _write_out(stack)
    yield "dump", _dump(stack)
    for folder in ("pg", "valkey", "log"):
        root = stack.home / folder
        for path in sorted(root.rglob("*")):
            if path.is_file():
                place = "valkey" if folder == "valkey" else str(path.relative_to(stack.home))
                yield place, path.read_bytes()


def _write_out(stack: Stack) -> None:
    """The WAL is on disk with every commit; tables' files need a checkpoint, the AOF a second."""
    subprocess.run(
        [*_as_superuser(stack, "psql"), "-d", "zahlwerk", "-qc", "CHECKPOINT"], check=True, capture_output=True
    )
    store = redis.Redis.from_url(stack.facts["redis_url"])
    wait_until(lambda: store.info("persistence")["aof_pending_bio_fsync"] == 0, 10, "the AOF is written")


def _dump(stack: Stack) -> bytes:
    done = subprocess.run([*_as_superuser(stack, "pg_dump"), "zahlwerk"], check=True, capture_output=True, timeout=120)
    return done.stdout


def _as_superuser(stack: Stack, program: str) -> list[str]:
    directory = make_url(stack.facts["database_owner_url"]).query["host"]
    return [str(postgres_binaries(None).directory / program), "-h", str(directory), "-U", "postgres"]
