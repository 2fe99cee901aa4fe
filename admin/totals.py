"""The few numbers above the charts: a period at a glance, beside the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from admin import formats
from admin.asked import Asked
from admin.charts.kinds import Column
from admin.drawing import share
from admin.panel import said

_RATE = Column("", "share")


@dataclass(frozen=True, slots=True)
class Tile:
    """One number; it leads to the payments behind it."""

    what: str
    num: str
    more: str
    url: str


def totals(asked: Asked) -> list[Tile]:
    """Amounts are those of the currency that is shown; approvals are of all."""
    captured, refunded = asked.amount("captured"), asked.amount("refunded")
    charged_back = asked.amount("charged_back") - asked.amount("reversed")
    return [
        _tile(
            asked,
            _("Captured"),
            formats.money(captured, asked.currency),
            _against(captured, asked.amount("captured", before=True)),
            ("captured", "partially_captured", "partially_refunded", "refunded"),
        ),
        _approval(asked),
        _tile(
            asked,
            _("Refunded"),
            formats.money(refunded, asked.currency),
            _of_captured(refunded, captured),
            ("partially_refunded", "refunded"),
        ),
        _tile(
            asked,
            _("Charged back"),
            formats.money(charged_back, asked.currency),
            _of_captured(charged_back, captured),
            ("charged_back",),
        ),
    ]


def _approval(asked: Asked) -> Tile:
    now, before = (
        share(asked.total("authorised_count", before=earlier), _answered(asked, earlier)) for earlier in (False, True)
    )
    more = _("none tried before") if before is None else _("before: %(share)s", share=said(before, _RATE, ""))
    return _tile(asked, _("Approval rate"), said(now, _RATE, ""), more, ())


def _answered(asked: Asked, before: bool) -> int:
    return asked.total("authorised_count", before=before) + asked.total("declined_count", before=before)


def _tile(asked: Asked, what: str, num: str, more: str, statuses: Sequence[str]) -> Tile:
    return Tile(what, num, more, asked.payments(status=list(statuses) or None))


def _against(now: int, before: int) -> str:
    """Growth against as many days before; a change of less than a tenth of a percent is none."""
    grown = share(now - before, before)
    if grown is None:
        return _("nothing before")
    sign = "+" if grown > 0 else ""
    return _("%(change)s against the days before", change=f"{sign}{said(grown, _RATE, '')}")


def _of_captured(amount: int, captured: int) -> str:
    part = share(amount, captured)
    return _("%(share)s of what was captured", share=said(part, _RATE, "")) if part is not None else ""
