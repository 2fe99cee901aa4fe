"""The floor: pgbench running the plain SQL of an authorisation and a capture, statement by statement."""

import re
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.stack import Running
from tools.stack.binaries import postgres_binaries

SCRIPT = Path(__file__).with_name("floor.sql")


def floor_per_second(stack: Running, seconds: float, clients: int) -> float:
    """Payments per second that PostgreSQL alone would do, as the application's role, on the same schema."""
    query = parse_qs(urlsplit(stack.stores.app_url).query)
    done = subprocess.run(
        [
            str(postgres_binaries(None).directory / "pgbench"),
            *("-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(int(seconds)), "-f", str(SCRIPT)),
            *("-h", query["host"][0], "-p", query.get("port", ["5432"])[0], "-U", "zahlwerk_app", "zahlwerk"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found.group(1))
