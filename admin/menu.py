"""The sidebar: the screens that whoever asks may see, by kind of work, with counts of what is open."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from admin import counts
from admin.here import here, staff
from app.core.texts import N_

if TYPE_CHECKING:
    from admin.screen import Screen

GROUPS: dict[str, str] = {
    "top": "",
    "payments": N_("Payments"),
    "risk": N_("Risk"),
    "merchants": N_("Merchants"),
    "messages": N_("Messages"),
    "system": N_("System"),
}


@dataclass(frozen=True, slots=True)
class Item:
    label: str
    url: str
    icon: str
    current: bool
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    items: tuple[Item, ...]


def built(current: "Screen") -> list[Group]:
    """Groups without a visible screen are left out."""
    may = staff().may
    screens: list[Any] = [view for view in current.admin._views if view.entry and may(view.permission)]  # type: ignore[union-attr]
    open_work = counts.open_work(here().live)
    groups = []
    for group, name in GROUPS.items():
        members = sorted((one for one in screens if one.entry.group == group), key=lambda one: one.entry.order)
        items = tuple(_item(one, current, open_work) for one in members)
        if items:
            groups.append(Group(_(name) if name else "", items))
    return groups


def _item(screen: "Screen", current: "Screen", open_work: dict[str, int]) -> Item:
    entry = screen.entry
    assert entry is not None and screen.url is not None
    return Item(
        label=_(entry.label),
        url=f"{screen.url.rstrip('/')}/",
        icon=entry.icon,
        current=screen is current,
        count=open_work.get(entry.counts or "", 0),
    )
