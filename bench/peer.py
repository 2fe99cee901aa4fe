"""The peer: localstripe (a fake Stripe server that nobody here wrote), create + confirm + capture."""

import os
import subprocess
import sys
import tempfile
from urllib.parse import urlencode

from bench import load
from bench.stack import free_port, wait_for

KEY = "Authorization: Bearer sk_test_bench\r\n"
FORM = "application/x-www-form-urlencoded"


async def _pay(connection: load.Connection, number: int) -> None:
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    method = await _post(
        connection, "/v1/payment_methods", {"type": "card", **{f"card[{name}]": value for name, value in card.items()}}
    )
    intent = await _post(
        connection,
        "/v1/payment_intents",
        {"amount": 1999, "currency": "eur", "capture_method": "manual", "payment_method": method["id"]},
    )
    await _post(connection, f"/v1/payment_intents/{intent['id']}/confirm", {})
    await _post(connection, f"/v1/payment_intents/{intent['id']}/capture", {"amount_to_capture": 1999})


async def _post(connection: load.Connection, path: str, form: dict[str, object]) -> dict:
    status, body = await connection.call("POST", path, urlencode(form).encode(), KEY, FORM)
    return load.expect(status, body, 200)


def localstripe_per_second(seconds: float) -> float:
    """Payments per second of localstripe on this machine."""
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(
            [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"],
            cwd=home,
            env={**os.environ, "HOME": home},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/js.stripe.com/v3/")
            result = load.run(f"http://127.0.0.1:{port}", _pay, concurrency=8, seconds=seconds, warm_seconds=1)
        finally:
            process.terminate()
            process.wait(10)
    assert result.seconds, result.errors[:3]
    return result.per_second
