"""Contracts with providers: the form is built from what the connector asks for; secrets can be written, never read."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import BooleanField, IntegerField, PasswordField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from admin import choices, formats, merchants_known, words
from admin.fields import Several, options
from admin.forms import REQUIRED, TIDY, OnceForm, nonce, purpose
from admin.guard import look_at
from admin.here import connection, here
from admin.listing import Choice, Filters
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say
from admin.screens.merchants import read_merchant
from admin.texts import lazy as _l
from app.config import settings
from app.connectors import CONNECTORS
from app.connectors.kinds import Connector
from app.core.db import atomic, of
from app.core.errors import NotFound, Refusal
from app.core.idempotency import KeyReused, Repeated, claim
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.merchants import contracts
from app.merchants.add import CONTRACTS, add_contract, change

_SETTING = "setting_"


class ContractForm(OnceForm):
    label = StringField(_l("Name"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=80)])
    methods = Several(_l("Methods"), validators=[DataRequired(_l("Choose at least one."))])
    currencies = Several(
        _l("Currencies"),
        choices=options(choices.CURRENCIES),
        validators=[DataRequired(_l("Choose at least one."))],
    )
    priority = IntegerField(_l("Priority"), default=100, validators=[InputRequired(REQUIRED), NumberRange(0, 10_000)])
    authorisation_days = IntegerField(
        _l("An authorisation lives for (days)"), validators=[Optional(), NumberRange(1, 400)]
    )
    honour_days = IntegerField(_l("A capture is guaranteed for (days)"), validators=[Optional(), NumberRange(1, 400)])
    active = BooleanField(_l("Active"), default=True)

    def refuse(self, refusal: Refusal) -> bool:
        """Settings of connectors stand in fields of their own."""
        if refusal.param and f"{_SETTING}{refusal.param}" in self._fields:
            refusal.param = f"{_SETTING}{refusal.param}"
        return super().refuse(refusal)

    def settings(self) -> list[Any]:
        return [field for name, field in self._fields.items() if name.startswith(_SETTING)]

    def given(self) -> dict[str, str]:
        return {
            name.removeprefix(_SETTING): field.data or ""
            for name, field in self._fields.items()
            if name.startswith(_SETTING)
        }


def form_for(connector: Connector, stored: dict[str, str] | None = None, **more: Any) -> ContractForm:
    """A form with one field per setting; secrets are empty, whatever is stored."""

    class OfConnector(ContractForm):
        pass

    for setting in connector.SETTINGS:
        label, hint = formats.said(setting.label), formats.said(setting.help)
        if setting.secret:
            field = PasswordField(label, description=hint, filters=TIDY)
        else:
            default = (stored or {}).get(setting.name, setting.default)
            field = StringField(label, description=hint, filters=TIDY, default=default)
        setattr(OfConnector, f"{_SETTING}{setting.name}", field)
    form = OfConnector(**more)
    form.methods.choices = options({name: _(words.METHODS.get(name, name)) for name in sorted(connector.METHODS)})
    return form


class Contracts(Screen):
    address = "contracts"
    entry = Entry("merchants", 30, N_("Contracts"), "plug")

    @page("/", "merchant.read")
    def index(self) -> str:
        merchant = merchants_known.choice()
        provider = Choice(_("Provider"), ("provider",), options={name: one.LABEL for name, one in CONNECTORS.items()})
        filters = Filters(merchant, provider)
        query = select(CONTRACTS).where(CONTRACTS.c.live == here().live)
        if merchant.chosen:
            query = query.where(CONTRACTS.c.merchant_id.in_(merchant.ids("mer")))
        if provider.chosen:
            query = query.where(CONTRACTS.c.provider.in_(provider.chosen))
        order = (CONTRACTS.c.merchant_id, CONTRACTS.c.active.desc(), CONTRACTS.c.priority, CONTRACTS.c.id)
        rows = connection().execute(query.order_by(*order).limit(500)).mappings().all()
        names = merchants_known.names()
        return self.show(
            "contracts", title=_("Contracts"), rows=rows, filters=filters, merchants=names, connectors=CONNECTORS
        )

    @page("/add", "contract.write", ("GET", "POST"), fresh=True)
    def add(self) -> Any:
        merchant = read_merchant(parse_id("mer", request.args.get("merchant", "")))
        provider = request.args.get("provider", "")
        if provider not in CONNECTORS:
            return self.show("contract_provider", title=_("New contract"), merchant=merchant, connectors=CONNECTORS)
        connector, what = CONNECTORS[provider], purpose(f"add {provider}", merchant["id"])
        form = form_for(
            connector,
            data={
                "label": connector.LABEL,
                "methods": sorted(connector.METHODS),
                "currencies": ["EUR"],
                "priority": 100,
                "active": True,
            },
        )
        if form.validate_on_submit():
            try:
                with atomic(of(merchant["id"], here().live)) as work:
                    contract_id = add_contract(
                        work,
                        merchant_id=merchant["id"],
                        live=here().live,
                        provider=provider,
                        settings=form.given(),
                        actor=actor(),
                        **_values(form, with_active=False),
                    )
                    claim(work, form.once(what), merchant["id"], here().live, ("contract", contract_id))
            except (Repeated, KeyReused):
                say(_("This form was sent before and is done already."), "wait")
                return go(url("merchants.detail", id=public_id("mer", merchant["id"])))
            except Refusal as refusal:
                if not form.refuse(refusal):
                    raise
            else:
                say(_("%(name)s is added.", name=form.label.data))
                return go(url("contracts.detail", id=public_id("ctr", contract_id)))
        elif request.method == "GET":
            form.nonce.data = nonce(what)
        return self.show(
            "contract_form",
            title=_("New contract: %(provider)s", provider=connector.LABEL),
            form=form,
            merchant=merchant,
            connector=connector,
            contract=None,
        )

    @page("/<id>", "merchant.read")
    def detail(self, id: str) -> str:
        contract = _read(parse_id("ctr", id))
        look_at(contract["live"])
        connector = CONNECTORS.get(contract["provider"])
        return self.show(
            "contract",
            title=contract["label"],
            contract=contract,
            connector=connector,
            merchant=read_merchant(contract["merchant_id"]),
            settings=_shown(contract, connector),
            news=settings().public_url + contracts.news_path(contract["id"], contract["provider"]),
            days=(contracts.authorisation_days(contract), contracts.honour_days(contract)) if connector else None,
        )

    @page("/<id>/change", "contract.write", ("GET", "POST"), fresh=True)
    def change(self, id: str) -> Any:
        contract = _read(parse_id("ctr", id))
        look_at(contract["live"])
        connector = CONNECTORS[contract["provider"]]
        stored = dict(contracts.opened(contract).settings)
        form = form_for(connector, stored, data=dict(contract))
        if form.validate_on_submit():
            try:
                values = _values(form)
                sealed = contracts.sealed_settings(contract["provider"], form.given(), contract["settings_sealed"])
                if dict(contracts.opened({**contract, "settings_sealed": sealed}).settings) != stored:
                    values["settings_sealed"] = sealed
                with atomic(of(contract["merchant_id"], contract["live"])) as work:
                    change(work, CONTRACTS, contract["id"], values, noun="contract", actor=actor())
            except Refusal as refusal:
                if not form.refuse(refusal):
                    raise
            else:
                say(_("Saved."))
                return go(url("contracts.detail", id=id))
        return self.show(
            "contract_form",
            title=_("Change %(name)s", name=contract["label"]),
            form=form,
            connector=connector,
            contract=contract,
            merchant=read_merchant(contract["merchant_id"]),
        )


def _read(contract_id: UUID) -> Any:
    row = connection().execute(select(CONTRACTS).where(CONTRACTS.c.id == contract_id)).mappings().first()
    if row is None:
        raise NotFound()
    return row


def _values(form: ContractForm, *, with_active: bool = True) -> dict[str, Any]:
    names = ["label", "methods", "currencies", "priority", "authorisation_days", "honour_days"]
    return {name: form[name].data for name in ([*names, "active"] if with_active else names)}


def _shown(contract: Any, connector: Connector | None) -> list[tuple[str, str, bool]]:
    """(label, value, is secret). Of a secret only whether there is one."""
    if connector is None:
        return []
    opened = contracts.opened(contract).settings
    return [
        (
            formats.said(one.label),
            "" if one.secret else opened.get(one.name, ""),
            bool(opened.get(one.name)) and one.secret,
        )
        for one in connector.SETTINGS
    ]


SCREEN = Contracts

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import contracts as _me

    _check: ScreenModule = _me
