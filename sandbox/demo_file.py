"""What the demo data step wrote down: {"shops": [{"name", "slug", "api_key", "webhook_secret", "shop_id"}, ...], ...}.

Read anew each time, since the step runs while the sandbox is up; while it is missing there are no shops.
"""

import json
import os
from pathlib import Path
from typing import Any


def demo_shops() -> list[dict[str, Any]]:
    path = os.environ.get("ZAHLWERK_DEMO_FILE")
    try:
        shops = json.loads(Path(path).read_text()).get("shops") if path else None
    except (OSError, ValueError, AttributeError):
        return []
    return [shop for shop in shops if isinstance(shop, dict)] if isinstance(shops, list) else []


def public_url() -> str:
    return os.environ.get("PUBLIC_URL", "http://localhost:8700").rstrip("/")


def sandbox_url() -> str:
    return os.environ.get("SANDBOX_URL", "http://127.0.0.1:8701").rstrip("/")
