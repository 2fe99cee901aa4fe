"""A merchant's contracts with providers: opened for one use, never logged."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.connectors import CONNECTORS
from app.connectors.kinds import Contract
from app.core import vault
from app.core.errors import Refusal
from app.core.ids import public_id
from app.core.texts import N_

CONTEXT = "contracts.settings"


class SettingNeeded(Refusal):
    code = "setting_needed"
    message = N_("“%(label)s” is needed.")
    advice = N_("Copy it from the provider's dashboard.")


def opened(row: Mapping[str, Any]) -> Contract:
    """A row of `contracts` -> what a connector gets, with its settings in clear."""
    return Contract(
        id=public_id("ctr", row["id"]),
        provider=row["provider"],
        live=row["live"],
        settings=vault.unseal_json(row["settings_sealed"], CONTEXT),
    )


def sealed_settings(provider: str, given: Mapping[str, str], before: bytes | None = None) -> bytes:
    """What a form gave -> sealed bytes. An empty secret keeps the one stored before. Raises SettingNeeded."""
    return vault.seal_json(complete(provider, given, before), CONTEXT)


def complete(provider: str, given: Mapping[str, str], before: bytes | None = None) -> dict[str, str]:
    """What a form gave, with defaults and the secrets stored before, in clear. Raises SettingNeeded."""
    stored = vault.unseal_json(before, CONTEXT) if before else {}
    values: dict[str, str] = {}
    for setting in CONNECTORS[provider].SETTINGS:
        value = (given.get(setting.name) or "").strip()
        if not value:
            value = stored.get(setting.name, "") if setting.secret else setting.default
        if not value and setting.required:
            raise SettingNeeded(param=setting.name, label=setting.label)
        values[setting.name] = value
    return values


def authorisation_days(row: Mapping[str, Any]) -> int:
    return row["authorisation_days"] or CONNECTORS[row["provider"]].CAN.authorisation_days


def honour_days(row: Mapping[str, Any]) -> int:
    return row["honour_days"] or CONNECTORS[row["provider"]].CAN.honour_days


def news_path(contract_id: UUID, provider: str) -> str:
    """Where the provider's notifications of this contract arrive."""
    return f"/news/{provider}/{public_id('ctr', contract_id)}"
