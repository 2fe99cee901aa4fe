"""No card number, security code or secret is anywhere: not in the database, its files, its WAL, Valkey's AOF or a log.

Every published card pays once through the API; people pay, log in, set up a second factor and refund in a browser
(typed.py). Then all that the product wrote is searched: the dump, what it printed, and every file of its home, with
what is EXPECTED where. Card numbers are sought in every usual spelling; secrets as they are, in hex and in base64; two
security codes are used nowhere else (of four digits: three stand everywhere). Canaries prove that the search finds.
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
from tests.browser import missing
from tests.stories.stack import Stack, wait_until
from tests.stories.typed import typed_by_people
from tools.stack.binaries import postgres_binaries

SHOP = "nordlicht-outdoor"
pytestmark = pytest.mark.timeout(600)


# What holds secrets because it is there to hold them; in these files only what is not named here would be a find.
EXPECTED = {
    "keys.json": "the key file",
    "demo.json": "log-ins and keys of the demo, published on purpose",
    "demo-made.json": "the same, as it was made",
}
LOG_INS = ("api key", "password of")  # `make run` prints them on the terminal, which is run.log here


@pytest.fixture(scope="module")
def paid(stack) -> dict[str, str]:
    """Pays with every card; plants the canaries. Returns what else must (not) be found."""
    shop = stack.shop(SHOP)
    headers = {"Authorization": f"Bearer {shop['api_key']}"}
    code, typed_code = _unused_codes(stack, 2)
    canary = f"canary{secrets.token_hex(8)}"

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
        # some of these cards make the log say something, and each line of a log names its request
        return stack.post("/v1/payments", body, **headers, **{"Request-Id": f"{canary}-{number[-4:]}"})[0]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda card: pay(card.number, card.security_code), CARDS))
    assert set(answers) <= {201, 202}, answers
    spaced = "3782 822463 10005"
    assert pay(spaced, code) == 201
    assert pay("4242424242424241", "123") == 422  # a wrong check digit: refused, and must not end in a log either
    assert stack.post("/v1/customers", {"name": canary}, **headers)[0] == 201
    redis.Redis.from_url(stack.facts["redis_url"]).set(canary, "1", ex=600)
    return {"code": code, "typed_code": typed_code, "canary": canary}


@pytest.fixture(scope="module")
def typed(stack, paid, request) -> dict[str, str]:
    """What people typed and were shown. Without a browser (`make test` says so loudly) nobody types anything."""
    if missing():
        return {}
    return typed_by_people(stack, request.getfixturevalue("browser"), stack.shop(SHOP), paid["typed_code"])


def _unused_codes(stack: Stack, many: int) -> list[str]:
    """Each four digits that do not stand alone anywhere yet."""
    before, found = [blob for _, blob in _everything(stack)], []
    for _ in range(200):
        code = f"{secrets.randbelow(9000) + 1000}"
        if not any(_alone(code).search(blob) for blob in before) and code not in found:
            found.append(code)
        if len(found) == many:
            return found
    raise AssertionError("all four digits are in use")


def _alone(code: str) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![0-9A-Za-z.])" + code.encode() + rb"(?![0-9A-Za-z])")


def test_the_search_finds_what_was_planted(stack, paid, typed):
    found = {place for place, blob in _everything(stack) if paid["canary"].encode() in blob}
    assert "dump" in found
    assert any(place.startswith("valkey/") for place in found)
    assert any("pg_wal" in place for place in found), "the WAL is searched"
    assert any("/base/" in place for place in found), "the tables' files are searched"
    assert "log/web.log" in found, "logs are searched"


def test_everything_the_product_writes_is_searched(stack, paid, typed):
    searched = {place.partition("/")[0] for place, _ in _everything(stack)}
    kept = {entry.name for entry in stack.home.iterdir() if entry.is_file() or any(map(Path.is_file, entry.rglob("*")))}
    assert kept <= searched
    assert {"pg", "valkey", "log", "journals", "run.log", "dump", *EXPECTED} <= searched


def test_no_card_number_is_anywhere(stack, paid, typed):
    assert _places(_everything(stack), {card.number: _spellings(card.number) for card in CARDS}) == {}


def test_no_security_code_is_anywhere(stack, paid, typed):
    patterns = [_alone(paid["code"]), _alone(paid["typed_code"])]
    found = [place for place, blob in _everything(stack) if any(pattern.search(blob) for pattern in patterns)]
    assert found == []


def test_no_secret_is_anywhere(stack, paid, typed):
    wanted = {name: _forms(value) for name, value in (_secrets(stack) | _bytes(typed)).items()}
    found = _places(_everything(stack), wanted)
    assert {name: [place for place in places if not _is_expected(name, place)] for name, places in found.items()} == {
        name: [] for name in found
    }


def test_a_secret_would_be_found_where_it_is_expected(stack, paid, typed):
    """The search knows what these look like: the files that are there to hold them prove it."""
    files = [(place, (stack.home / place).read_bytes()) for place in EXPECTED]
    found = _places(files, {name: _forms(value) for name, value in _secrets(stack).items()})
    assert {"keys.json"} <= {place for name in found if name.startswith("key ") for place in found[name]}
    for name in _secrets(stack):
        if name.startswith(("api key", "webhook secret", "password of")):
            assert {"demo.json", "demo-made.json"} <= set(found[name]), name


def _is_expected(name: str, place: str) -> bool:
    return place in EXPECTED or (place == "run.log" and name.startswith(LOG_INS))


def _secrets(stack: Stack) -> dict[str, bytes]:
    """Every secret that the demo has, as it is used: text as text, keys as the bytes they are."""
    keys = json.loads(Path(stack.facts["keys"]).read_text())
    shops, users = stack.demo["shops"], stack.demo["admin"]["users"]
    return {
        **{f"webhook secret of {shop['slug']}": base64.b64decode(shop["webhook_secret"][6:]) for shop in shops},
        **{f"key {name}": base64.b64decode(value) for name, value in _flat(keys)},
        **_bytes(
            {
                **{f"api key of {shop['slug']}": shop["api_key"] for shop in shops},
                **{f"password of {user['email']}": user["password"] for user in users},
                **{f"acquirer key {letter}": f"sandbox-key-of-acquirer-{letter}" for letter in "ABCE"},
                **{f"news secret {letter}": f"sandbox-news-secret-of-acquirer-{letter}" for letter in "ABCE"},
                **{f"PayPal client secret of {shop['slug']}": f"demo-secret-{shop['slug']}" for shop in shops},
            }
        ),
    }


def _bytes(texts: dict[str, str]) -> dict[str, bytes]:
    return {name: value.encode() for name, value in texts.items()}


def _forms(value: bytes) -> list[bytes]:
    """As it is, in hex (as a dump writes bytes) and in base64 at all three alignments, of both alphabets."""
    hexed = value.hex().encode()
    encoded = _base64_anywhere(value)
    safe = [one.replace(b"+", b"-").replace(b"/", b"_") for one in encoded]
    return list(dict.fromkeys([value, hexed, hexed.upper(), *encoded, *safe]))


def _base64_anywhere(value: bytes) -> list[bytes]:
    """What is the same wherever the value stands in something longer that was encoded."""
    found = []
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + value).rstrip(b"=")
        odd = (shift + len(value)) % 3 != 0
        found.append(whole[[0, 2, 3][shift] : len(whole) - 1 if odd else len(whole)])
    return found


def _places(written: Iterable[tuple[str, bytes]], wanted: dict[str, list[bytes]]) -> dict[str, list[str]]:
    """What was found, and where."""
    found: dict[str, list[str]] = {}
    for place, blob in written:
        for name, spellings in wanted.items():
            if any(spelling in blob for spelling in spellings):
                found.setdefault(name, []).append(place)
    return found


def _spellings(number: str) -> list[bytes]:
    """Plain, spaced, dashed, URL-encoded and base64 at all three alignments."""
    groups = [number[:4], number[4:10], number[10:]] if len(number) == 15 else re.findall("....", number)
    texts = [number, *(sign.join(groups) for sign in (" ", "-", "+", "%20", "\u00a0"))]
    texts.append(quote(" ".join(groups)))
    return list(dict.fromkeys([*(text_.encode() for text_ in texts), *_base64_anywhere(number.encode())]))


def _flat(keys: dict) -> Iterator[tuple[str, str]]:
    for name, value in keys.items():
        yield from _flat(value) if isinstance(value, dict) else [(name, value)]


def _everything(stack: Stack) -> Iterable[tuple[str, bytes]]:
    """(place, bytes) of all that the product writes."""
    _write_out(stack)
    yield "dump", _dump(stack)
    yield "run.log", (stack.home.parent / "run.log").read_bytes()
    for path in sorted(stack.home.rglob("*")):
        try:
            if path.is_file():
                yield str(path.relative_to(stack.home)), path.read_bytes()
        except FileNotFoundError:  # a file of the database that it was done with
            continue


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
