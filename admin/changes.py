"""What an event says was before and after, in words: one line for each thing that changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from admin import words


@dataclass(frozen=True, slots=True)
class Change:
    what: str
    before: str
    after: str


def changes(*told: Mapping[str, Any]) -> list[Change]:
    """Of an event's data and its details. Something added has no before, something removed no after."""
    return [change for one in told for change in _of(one.get("before"), one.get("after"))]


def rest(told: Mapping[str, Any]) -> dict[str, Any]:
    """What it says besides."""
    return {name: value for name, value in told.items() if name not in ("before", "after", "changed")}


def _of(before: Any, after: Any) -> list[Change]:
    if before is None and after is None:
        return []
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        old, new = dict(before or {}), dict(after or {})
        names = dict.fromkeys([*old, *new])
        return [Change(_named(one), _said(old.get(one)), _said(new.get(one))) for one in names]
    return [Change("", _said(before), _said(after))]


def _named(column: str) -> str:
    return _(words.COLUMNS[column]) if column in words.COLUMNS else column.replace("_", " ")


def _said(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Mapping):
        return "; ".join(f"{_named(str(name))}: {_said(one)}" for name, one in value.items()) or "–"
    if isinstance(value, Sequence) and not isinstance(value, str):
        parted = "; " if any(isinstance(one, Mapping) for one in value) else ", "
        return parted.join(_said(one) for one in value) or "–"
    return str(value)
