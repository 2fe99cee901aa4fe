"""Demo data: two merchants with different looks and 90 days of payments, made through the operations.

`python -m sandbox.demo` can be run again at any time: what is there stays, and the file with addresses
and log-ins (ZAHLWERK_DEMO_FILE) is written anew. Passwords and keys are the demo's own; nothing of it
exists outside the sandbox.
"""

import json
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("HTTP_DEADLINE_SECONDS", "2")  # some demo payments end without an answer

from sqlalchemy import func, select

from app.config import settings
from app.core.clock import replaying
from app.core.db import ALL, reading, table_of
from app.merchants.models import Merchant
from app.payments.queries import PAYMENTS as PAID
from sandbox.demo_history import Plan, live, planned
from sandbox.demo_merchants import SHOPS, Opened, adopted, open_merchant, reopened
from sandbox.demo_staff import STAFF, add_staff, ask_for_approvals
from wsgi import create_app

PAYMENTS = 200
DAYS = 90
SEED = 20


def main() -> None:
    target = Path(os.environ.get("ZAHLWERK_DEMO_FILE", "var/demo.json"))
    application = create_app()
    with application.app_context():
        before = _read(target)
        if before and _exists():
            opened = [reopened(shop, told) for shop, told in zip(SHOPS, before["shops"], strict=True)]
        else:
            print("demo data: merchants, shops, contracts, staff", flush=True)
            opened = [adopted(shop) or open_merchant(shop) for shop in SHOPS]
        _write(target, opened)  # the keys are told once: an interrupted start goes on from here
        add_staff([shop.merchant_id for shop in opened])
        missing = PAYMENTS - _payments()
    if missing <= 0:
        print("demo data: there already")
        return
    _make_history(application, opened, missing)
    with application.app_context():
        ask_for_approvals()
    print("demo data: ready")


def _exists() -> bool:
    with reading(ALL) as connection:
        names = set(connection.execute(select(table_of(Merchant).c.name)).scalars())
    return {shop.merchant for shop in SHOPS} <= names


def _payments() -> int:
    with reading(ALL) as connection:
        return connection.execute(select(func.count()).select_from(PAID)).scalar_one()


def _make_history(application: Any, opened: list[Opened], many: int) -> None:
    """The oldest payment first, several at a time; each happens at its own moment in the past."""
    choice = random.Random(SEED)
    plans = planned(choice, opened, many)
    history = sorted(((_moment(choice, plan), plan) for plan in plans), key=lambda dated: dated[0])

    def one(dated: tuple[datetime, Plan]) -> None:
        moment, plan = dated
        with application.app_context(), replaying(moment):
            live(plan)

    with ThreadPoolExecutor(6) as pool:
        for done, _ in enumerate(pool.map(one, history), start=1):
            if done % 40 == 0:
                print(f"demo data: {done} of {len(plans)} payments", flush=True)


def _moment(choice: random.Random, plan: Plan) -> datetime:
    """More and more payments towards today. What would lapse by itself happened in the last hours."""
    age = timedelta(hours=12) * choice.random() if plan.fresh else timedelta(days=DAYS) * (1 - choice.random() ** 0.8)
    return datetime.now(UTC) - timedelta(minutes=2) - age


def _read(target: Path) -> dict[str, Any] | None:
    try:
        return json.loads(target.read_text())
    except (OSError, ValueError):
        return None


def _write(target: Path, opened: list[Opened]) -> None:
    """Addresses follow the settings, so that another PORT is told rightly; keys and secrets are kept."""
    public, sandbox = settings().public_url, settings().sandbox_url or "http://127.0.0.1:8701"
    content = {
        "admin": {
            "url": f"{public}/admin/",
            "users": [{"email": one.email, "password": one.password, "role": one.role} for one in STAFF],
        },
        "api": {"url": f"{public}/v1", "keys": [shop.told["api_key"] for shop in opened]},
        "shop": f"{sandbox}/shop",
        "docs": f"{public}/docs",
        "mail": f"{sandbox}/mail",
        "webhooks": f"{sandbox}/webhooks",
        "shops": [shop.told for shop in opened],
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    draft.replace(target)


if __name__ == "__main__":
    sys.exit(main())
