"""Every setting of the product, typed, read once from the environment.

Nothing else reads `os.environ`. Secrets come from a key file (`ZAHLWERK_KEYS_FILE`), never from code.
"""

import base64
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path


class SettingMissing(RuntimeError):
    """A setting without which the product must not start. The message says what to set."""


@dataclass(frozen=True)
class Keys:
    """Secret keys, 32 bytes each. `vault` is a ring: the highest number seals, all of them open."""

    vault: dict[int, bytes]
    blind: bytes
    seal: bytes
    session: bytes
    page: bytes


@dataclass(frozen=True)
class Settings:
    """Times are seconds, sizes bytes, URLs without a trailing slash."""

    database_url: str
    redis_url: str
    keys: Keys
    public_url: str
    sandbox_url: str | None
    smtp_url: str
    mail_from: str
    environment: str
    trusted_proxies: int
    api_requests_per_minute: int
    allow_private_endpoints: bool
    http_deadline_seconds: float
    database_pool_size: int
    log_level: str

    @property
    def secure_cookies(self) -> bool:
        return self.public_url.startswith("https://")


@cache
def settings() -> Settings:
    """The settings of this process. Raises SettingMissing with the name of what is missing."""
    environment = os.environ.get("ZAHLWERK_ENV", "live")
    return Settings(
        database_url=_required("DATABASE_URL"),
        redis_url=_required("REDIS_URL"),
        keys=read_keys(Path(_required("ZAHLWERK_KEYS_FILE"))),
        public_url=os.environ.get("PUBLIC_URL", "http://localhost:8700").rstrip("/"),
        sandbox_url=(os.environ.get("SANDBOX_URL") or "").rstrip("/") or None,
        smtp_url=os.environ.get("SMTP_URL", "smtp://127.0.0.1:25"),
        mail_from=os.environ.get("MAIL_FROM", "Zahlwerk <no-reply@zahlwerk.example>"),
        environment=environment,
        trusted_proxies=int(os.environ.get("TRUSTED_PROXIES", "0")),
        api_requests_per_minute=int(os.environ.get("API_REQUESTS_PER_MINUTE", "3000")),
        allow_private_endpoints=_flag("ALLOW_PRIVATE_ENDPOINTS", environment != "live"),
        http_deadline_seconds=float(os.environ.get("HTTP_DEADLINE_SECONDS", "10")),
        database_pool_size=int(os.environ.get("DATABASE_POOL_SIZE", "8")),
        log_level=os.environ.get("LOG_LEVEL", "INFO"),
    )


def read_keys(path: Path) -> Keys:
    """Reads the key file: JSON with base64 values, `vault` a map from key number to key."""
    raw = json.loads(path.read_text())
    vault = {int(number): base64.b64decode(key) for number, key in raw["vault"].items()}
    blind, seal, session, page = (base64.b64decode(raw[name]) for name in ("blind", "seal", "session", "page"))
    short = [key for key in (*vault.values(), blind, seal, session, page) if len(key) < 32]
    if short or not vault:
        raise SettingMissing(f"{path}: every key must be 32 bytes in base64")
    return Keys(vault=vault, blind=blind, seal=seal, session=session, page=page)


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise SettingMissing(f"{name} is not set. `make run` sets it; see README, 'Settings'.")
    return value


def _flag(name: str, default: bool) -> bool:
    value = os.environ.get(name)
    return default if value is None else value.lower() in ("1", "true", "yes", "on")
