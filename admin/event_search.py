"""Finding events: by what, who, when, merchant and what they are about. The list and its export ask alike."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, false, literal_column, or_, select

from admin import merchants_known, subjects, words
from admin.here import connection, here
from admin.listing import Choice, Filter, Filters, Period, Text
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.events import STAFF, Event, EventLog
from app.core.ids import parse_id, public_id
from app.merchants.models import ApiKey, Merchant
from app.payments.search import first_id_at
from app.staff.add import USERS

EVENTS, LOG, MERCHANTS, KEYS = table_of(Event), table_of(EventLog), table_of(Merchant), table_of(ApiKey)
_MOST_ACTORS = 100
# Word for word the condition of the index on what staff did (ix_events_staff).
_BY_STAFF: ColumnElement[bool] = literal_column("(events.actor LIKE 'staff:%')")  # type: ignore[assignment]

COLUMNS = (
    *(EVENTS.c[name] for name in ("id", "name", "audience", "actor", "data", "happened_at", "payment_id")),
    *(EVENTS.c[name] for name in ("subject_type", "subject_id", "live", "merchant_id")),
)


class Search:
    """The chips of the list, and the query they stand for."""

    def __init__(self, args: str | None = None) -> None:
        self.name = Text(_("Event"), ("name",), hint=_("For example capture.succeeded, or only capture."))
        self.kind = Choice(_("By"), ("by",), options={key: _(label) for key, label in words.ACTORS.items()}, many=False)
        self.who = Text(_("Who"), ("who",), hint=_("Part of a name or e-mail address of the staff, or of an API key."))
        self.about = Text(_("About"), ("about",), hint=_("The id of anything: pay_…, cus_…, mer_…, usr_…"))
        self.period, self.merchant = Period(_("When")), merchants_known.choice()
        audiences = {key: _(label) for key, label in words.AUDIENCES.items()}
        self.audience = Choice(_("Told to"), ("audience",), options=audiences)
        chips: list[Filter] = [self.name, self.kind, self.who, self.period, self.about, self.merchant, self.audience]
        self.filters = Filters(*chips, args=args)

    @property
    def said(self) -> dict[str, str]:
        """What it is narrowed to, as the address says it."""
        names = {name for one in self.filters.all for name in one.names}
        return {
            name: ",".join(self.filters.args.getlist(name)) for name in sorted(names) if self.filters.args.get(name)
        }

    def query(self) -> Select[Any]:
        merchant = select(MERCHANTS.c.name).where(MERCHANTS.c.id == EVENTS.c.merchant_id).scalar_subquery()
        query = select(*COLUMNS, merchant.label("merchant_name"))
        query = query.where(or_(EVENTS.c.live == here().live, EVENTS.c.live.is_(None)))
        if self.filters.wrong:
            query = query.where(false())
        if self.name.value:
            query = query.where(EVENTS.c.name.startswith(self.name.value.lower(), autoescape=True))
        if self.kind.one:
            query = query.where(_of_kind(self.kind.one))
        if self.who.value:
            query = query.where(_of_somebody(self.who.value))
        if self.about.value:
            query = query.where(_about(self.about.value))
        if self.audience.chosen:
            query = query.where(EVENTS.c.audience.in_(self.audience.chosen))
        if self.merchant.chosen:
            query = query.where(EVENTS.c.merchant_id.in_(self.merchant.ids("mer")))
        if self.period.starts:
            query = query.where(EVENTS.c.id >= first_id_at(self.period.starts))
        if self.period.ends:
            query = query.where(EVENTS.c.id < first_id_at(self.period.ends))
        return query


def _of_kind(kind: str) -> ColumnElement[bool]:
    if kind == "staff":
        return _BY_STAFF
    return or_(EVENTS.c.actor == kind, EVENTS.c.actor.startswith(f"{kind}:"))


def _of_somebody(typed: str) -> ColumnElement[bool]:
    """Staff and API keys that are called like this; ids too."""
    prefix, _underline, rest = typed.partition("_")
    if prefix in ("usr", "key") and rest:
        found = [f"{'staff' if prefix == 'usr' else 'key'}:{typed}"]
    else:
        like = f"%{typed.replace('%', '').replace('_', ' ')}%"
        staff = select(USERS.c.id).where(or_(USERS.c.name.ilike(like), USERS.c.email.ilike(like)))
        keys = select(KEYS.c.id).where(KEYS.c.name.ilike(like))
        found = [
            *(f"{STAFF}{public_id('usr', id)}" for id in connection().execute(staff.limit(_MOST_ACTORS)).scalars()),
            *(f"key:{public_id('key', id)}" for id in connection().execute(keys.limit(_MOST_ACTORS)).scalars()),
        ]
    if not found:
        return false()
    if all(actor.startswith(STAFF) for actor in found):
        return and_(_BY_STAFF, EVENTS.c.actor.in_(found))
    return EVENTS.c.actor.in_(found)


def _about(typed: str) -> ColumnElement[bool]:
    prefix = typed.partition("_")[0]
    kind = subjects.kind_of(prefix)
    try:
        subject = parse_id(prefix, typed) if kind else None
    except NotFound:
        subject = None
    if subject is None:
        return false()
    own = and_(EVENTS.c.subject_type == kind, EVENTS.c.subject_id == subject)
    return or_(own, EVENTS.c.payment_id == subject) if kind == "payment" else own
