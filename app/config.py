"""Every setting of the product, typed, read once from the environment.

Nothing else reads `os.environ`. Secrets come from the environment or from files, never from code: the keys from
`ZAHLWERK_KEYS_FILE`, and any setting NAME from the file that NAME_FILE names (so do containers hand out secrets).
"""

import base64
import json
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


class SettingMissing(RuntimeError):
    """A setting without which the product must not start. The message says what to set."""


# Secrets are left out of the repr: a traceback or a log line that shows the settings shows none of them.
@dataclass(frozen=True, repr=False)
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

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    keys: Keys = field(repr=False)
    keys_file: Path
    public_url: str
    sandbox_url: str | None
    smtp_url: str = field(repr=False)
    mail_from: str
    auditor_email: str | None
    environment: str
    trusted_proxies: int
    api_requests_per_minute: int
    checkout_forms_per_minute: int
    allow_private_endpoints: bool
    http_deadline_seconds: float
    database_pool_size: int
    log_level: str
    metrics_token: str | None = field(repr=False)
    second_factors: bool
    usual_rules: bool
    fresh_log_in_minutes: int
    idle_log_in_minutes: int

    @property
    def secure_cookies(self) -> bool:
        return self.public_url.startswith("https://")


@cache
def settings() -> Settings:
    """The settings of this process. Raises SettingMissing with the name of what is missing."""
    environment = read("ZAHLWERK_ENV", "live")
    keys_file = Path(_required("ZAHLWERK_KEYS_FILE"))
    return Settings(
        database_url=_required("DATABASE_URL"),
        redis_url=_required("REDIS_URL"),
        keys=read_keys(keys_file),
        keys_file=keys_file,
        public_url=read("PUBLIC_URL", "http://localhost:8700").rstrip("/"),
        sandbox_url=read("SANDBOX_URL").rstrip("/") or None,
        smtp_url=read("SMTP_URL", "smtp://127.0.0.1:25"),
        mail_from=read("MAIL_FROM", "Zahlwerk <no-reply@zahlwerk.example>"),
        auditor_email=read("AUDITOR_EMAIL") or None,
        environment=environment,
        trusted_proxies=int(read("TRUSTED_PROXIES", "0")),
        api_requests_per_minute=int(read("API_REQUESTS_PER_MINUTE", "3000")),
        checkout_forms_per_minute=int(read("CHECKOUT_FORMS_PER_MINUTE", "60")),
        allow_private_endpoints=_flag("ALLOW_PRIVATE_ENDPOINTS", environment != "live"),
        http_deadline_seconds=float(read("HTTP_DEADLINE_SECONDS", "10")),
        database_pool_size=int(read("DATABASE_POOL_SIZE", "8")),
        log_level=read("LOG_LEVEL", "INFO"),
        metrics_token=read("METRICS_TOKEN") or None,
        second_factors=_flag("SECOND_FACTORS", environment == "live"),
        usual_rules=_flag("FOUR_EYES", environment == "live"),
        fresh_log_in_minutes=int(read("FRESH_LOG_IN_MINUTES", "30")),
        idle_log_in_minutes=int(read("IDLE_LOG_IN_MINUTES", "30")),
    )


def read(name: str, default: str = "") -> str:
    """A setting by its name: from the environment, or from the file that `<name>_FILE` names.

    Raises SettingMissing if the file cannot be read, or if both are set: nobody can tell then which one is meant.
    """
    value, file = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if not file:
        return default if value is None else value
    if value:
        raise SettingMissing(f"{name} and {name}_FILE are both set; set one of them.")
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise SettingMissing(f"{name}_FILE: {file} cannot be read ({error.strerror}).") from None


def read_keys(path: Path) -> Keys:
    """Reads the key file: JSON with base64 values, `vault` a map from key number to key."""
    try:
        raw = json.loads(path.read_text())
        vault = {int(number): base64.b64decode(key) for number, key in raw["vault"].items()}
        blind, seal, session, page = (base64.b64decode(raw[name]) for name in ("blind", "seal", "session", "page"))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise SettingMissing(f"{path} is no key file ({type(error).__name__}); see README, 'Settings'.") from None
    wrong = [key for key in (*vault.values(), blind, seal, session, page) if len(key) != 32]
    if wrong or not vault or not all(0 < number < 256 for number in vault):
        raise SettingMissing(f"{path}: every key must be 32 bytes in base64; those of the vault are numbered 1 to 255")
    return Keys(vault=vault, blind=blind, seal=seal, session=session, page=page)


def _required(name: str) -> str:
    value = read(name)
    if not value:
        raise SettingMissing(f"{name} is not set. `make run` sets it; see README, 'Settings'.")
    return value


def _flag(name: str, default: bool) -> bool:
    value = read(name)
    return value.lower() in ("1", "true", "yes", "on") if value else default
