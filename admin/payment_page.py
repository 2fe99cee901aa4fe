"""What the page of one payment shows: its sums as a bar, what can be done, what happened."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Connection

from admin import actors, formats, words
from admin.office import url
from admin.road import road
from app.connectors import CONNECTORS
from app.core.events import plain
from app.core.ids import public_id
from app.ledger.accounts import ACCOUNTS
from app.messages.queries import told_of_payment
from app.payments.history import History
from app.payments.note import of_payment
from app.payments.possible import Offer, possible
from app.payments.public import operation_picture, payment_picture
from app.payments.queries import left_to_capture
from app.risk.steps import STEPS
from app.staff.access import Staff


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the bar. `start` and `width` are per mille of it."""

    label: str
    minor: int
    kind: str
    start: int = 0
    width: int = 0


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that can be done now (`url`), or why it cannot (`why`)."""

    label: str
    icon: str
    url: str | None
    why: str = ""
    main: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One line of the timeline."""

    word: words.Word
    text: str
    when: datetime
    more: str
    url: str


def picture(connection: Connection, story: History, staff: Staff) -> dict[str, Any]:
    """Everything the template needs."""
    payment = story.payment
    notes = of_payment(connection, payment["id"]) if may_see_notes(staff, payment["merchant_id"]) else None
    known = actors.names(
        [
            *(one["actor"] for one in story.events),
            *(one["actor"] for one in story.operations),
            *(one["written_by"] for one in notes or ()),
        ]
    )
    may_see = staff.may("delivery.read", payment["merchant_id"])
    deliveries, mails = told_of_payment(connection, payment["id"]) if may_see else (None, [])
    return {
        "payment": payment,
        "story": story,
        "shares": shares(payment),
        "road": road(payment),
        "notes": notes,
        "deeds": deeds(connection, payment, staff),
        "held": any(one["is_open"] and one["held_for_review"] for one in story.authorisations),
        "turns": [turn(one, known, staff) for one in told(story.events)],
        "actors": known,
        "bookings": bookings(story.bookings),
        "deliveries": deliveries,
        "mails": mails,
        "answers": _asked(story),
        "raw": raw(story),
        "connectors": CONNECTORS,
    }


def may_see_notes(staff: Staff, merchant_id: UUID) -> bool:
    """They are written by staff for staff, and may name the payer."""
    return staff.may("payment.note", merchant_id) or staff.may("customer.read_personal", merchant_id)


def shares(payment: Mapping[str, Any]) -> list[Share]:
    """The amount in parts: what was taken and kept, what went back, what is still reserved, what was let go."""
    kept = payment["captured"] - payment["refunded"] - payment["charged_back"]
    under_way = payment["capture_pending"] + payment["cancel_pending"]
    parts = [
        Share(_("Captured and kept"), max(0, kept), "good"),
        Share(_("Refunded"), payment["refunded"], "back"),
        Share(_("Charged back"), payment["charged_back"], "bad"),
        Share(_("Under way"), under_way, "wait"),
        Share(_("Authorised, still open"), left_to_capture(payment), "calm"),
        Share(_("Cancelled"), payment["cancelled"], "quiet"),
    ]
    shown = [part for part in parts if part.minor > 0]
    whole = max(payment["amount"], sum(part.minor for part in shown), 1)
    placed, start = [], 0
    for part in shown:
        width = max(6, round(1000 * part.minor / whole))
        placed.append(Share(part.label, part.minor, part.kind, start, width))
        start += width
    return placed


def deeds(connection: Connection, payment: Mapping[str, Any], staff: Staff) -> list[Deed]:
    """What this user may do with it, what is possible first."""
    can, currency = possible(connection, payment), payment["currency"]
    key = public_id("pay", payment["id"])
    found = []
    if staff.may("payment.review", payment["merchant_id"]) and can.release.refused is None:
        found.append(Deed(_("Release from review"), "shield", url("payment_actions.release", id=key), main=True))
    offers: list[tuple[str, str, str, Offer]] = [
        ("capture", _("Capture %(amount)s"), "in", can.capture),
        ("refund", _("Refund up to %(amount)s"), "back", can.refund),
        ("cancel", _("Cancel %(amount)s"), "stop", can.cancel),
    ]
    names = {"capture": _("Capture"), "refund": _("Refund"), "cancel": _("Cancel")}
    for verb, label, icon, offer in offers:
        if not staff.may(f"payment.{verb}", payment["merchant_id"]):
            continue
        if offer.refused is not None:
            why = formats.said(offer.refused.message, **offer.refused.values)
            found.append(Deed(names[verb], icon, None, why))
        else:
            text = (
                label % {"amount": formats.money(offer.amount, currency)} if offer.amount else _("Cancel the attempt")
            )
            found.append(Deed(text, icon, url(f"payment_actions.{verb}", id=key), main=verb == "capture" and not found))
    return sorted(found, key=lambda deed: deed.url is None)


def told(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Without the steps in between ("sent to the provider") of what has ended."""
    ended = {one["subject_id"] for one in events if one["audience"] != "internal"}
    return [one for one in events if one["audience"] != "internal" or one["subject_id"] not in ended]


def turn(event: Mapping[str, Any], known: Mapping[str, str], staff: Staff) -> Turn:
    word, noun = words.event(event["name"])
    data = event["data"]
    amount, currency = data.get("amount"), data.get("currency")
    parts = [
        formats.money(amount, currency) if isinstance(amount, int) and currency else "",
        formats.code(data.get("code")),
        _reason(event["name"], data.get("reason")),
        formats.said(words.EVIDENCE.get(data.get("kind", ""))) if event["name"].startswith("document.") else "",
        known.get(event["actor"], event["actor"]),
    ]
    return Turn(
        word=word,
        text=_(word.label, noun=_(noun)) if noun else _(word.label),
        when=event["happened_at"],
        more=" · ".join(part for part in parts if part),
        url=url("events.detail", id=public_id("evt", event["id"])) if staff.may("event.read") else "",
    )


def _reason(name: str, reason: str | None) -> str:
    if not reason:
        return ""
    return _("Reason: %(reason)s", reason=formats.dispute_reason(reason) if name.startswith("dispute.") else reason)


def bookings(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Entries with their lines: (account's name, amount); debit positive."""
    entries = []
    for _id, group in groupby(lines, key=lambda line: line["id"]):
        members = list(group)
        first = members[0]
        entries.append(
            {
                "recipe": formats.said(words.RECIPES.get(first["recipe"], first["recipe"])),
                "day": first["booking_date"],
                "lines": [(formats.said(ACCOUNTS[one["code"]][0]), one["amount"], one["currency"]) for one in members],
            }
        )
    return entries


def _asked(story: History) -> list[str]:
    """Labels of what a risk check asked and the payer answered; the answers are shown by reveals/answers.py."""
    steps = [STEPS[one["step"]] for one in story.steps if one["step"] in STEPS]
    return [formats.said(field.label) for step in steps for field in step.FIELDS]


def _without_payer(payment: Mapping[str, Any]) -> dict[str, Any]:
    """The payer stands beside it, for those who may see them."""
    picture = payment_picture(payment)
    return {**picture, "payer": {name: value for name, value in picture["payer"].items() if name in _NOT_PERSONAL}}


_NOT_PERSONAL = ("country", "language")


def raw(story: History) -> str:
    """For those who want to see it all: the picture that the API gives, and the attempts behind it."""
    hidden = ("merchant_id", "payment_id", "instrument_id", "contract_id", "id")
    content = {
        "payment": _without_payer(story.payment),
        "authorisations": [
            {
                "contract": public_id("ctr", one["contract_id"]),
                **plain({name: value for name, value in one.items() if name not in hidden}),
            }
            for one in story.authorisations
        ],
        "operations": [
            operation_picture({**one}) | {"provider_reference": one["provider_reference"]} for one in story.operations
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False, default=str)
