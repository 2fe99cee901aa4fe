"""Contracts with providers: the form is built from what the connector asks for; secrets can be written, never read."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select

from admin import formats, merchants_known, reached, setup, trying
from admin.contract_form import form_for, settings_shown, settings_told, values_of
from admin.forms import nonce, purpose
from admin.four_eyes import ask_or_do, asked_for
from admin.guard import look_at
from admin.here import connection, here
from admin.listing import Choice, Filters
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, said, say, say_refused
from admin.screens.merchants import read_merchant
from app.config import settings
from app.connectors import CONNECTORS
from app.connectors.kinds import Checks
from app.core.db import atomic, of
from app.core.errors import NotFound, Refusal
from app.core.idempotency import KeyReused, Repeated, claim
from app.core.ids import parse_id, public_id, uuid7
from app.core.texts import N_
from app.merchants import contracts
from app.merchants.add import CONTRACTS, add_contract, change
from app.merchants.check import check_contract


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
            return self.show(
                "contract_provider",
                title=_("New contract"),
                merchant=merchant,
                connectors=CONNECTORS,
                setup=setup.strip(merchant),
                kept=setup.kept(),
            )
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
        if trying.wanted():
            tried = trying.answer(form, merchant_id=merchant["id"], live=here().live, provider=provider)
            if tried is not None:
                return tried
        elif form.validate_on_submit():
            try:
                complete = contracts.complete(provider, form.given())
                values = values_of(form, with_active=False)
                with atomic(of(merchant["id"], here().live)) as work:
                    whose = {"merchant_id": merchant["id"], "live": here().live, "subject_id": uuid7()}
                    wanted = {"provider": provider, **values, "settings": settings_told(connector, complete, {})}
                    if ask_or_do(work, "contract", **whose, params=wanted, secrets={"settings": complete}):
                        claim(work, form.once(what), merchant["id"], here().live, ("contract", merchant["id"]))
                        return asked_for()
                    contract_id = add_contract(
                        work,
                        merchant_id=merchant["id"],
                        live=here().live,
                        provider=provider,
                        settings=form.given(),
                        actor=actor(),
                        **values,
                    )
                    claim(work, form.once(what), merchant["id"], here().live, ("contract", contract_id))
            except (Repeated, KeyReused):
                say(_("This form was sent before and is done already."), "wait")
                return go(url("merchants.detail", id=public_id("mer", merchant["id"])))
            except Refusal as refusal:
                if not form.refuse(refusal):
                    form.form_errors.append(said(refusal))
            else:
                say(_("%(name)s is added.", name=form.label.data))
                trying.after_saving(_read(contract_id))
                return setup.onward(merchant["id"], url("contracts.detail", id=public_id("ctr", contract_id)))
        elif request.method == "GET":
            form.nonce.data = nonce(what)
        return self.show(
            "contract_form",
            title=_("New contract: %(provider)s", provider=connector.LABEL),
            form=form,
            merchant=merchant,
            connector=connector,
            contract=None,
            can_test=isinstance(connector, Checks),
            setup=setup.strip(merchant),
        )

    @page("/<id>", "merchant.read")
    def detail(self, id: str) -> str:
        contract = _read(parse_id("ctr", id))
        look_at(contract["live"])
        connector, merchant = CONNECTORS.get(contract["provider"]), read_merchant(contract["merchant_id"])
        return self.show(
            "contract",
            title=contract["label"],
            contract=contract,
            connector=connector,
            merchant=merchant,
            settings=settings_shown(contract, connector),
            news=settings().public_url + contracts.news_path(contract["id"], contract["provider"]),
            days=(contracts.authorisation_days(contract), contracts.honour_days(contract)) if connector else None,
            can_test=isinstance(connector, Checks),
            connection=reached.badge(contract),
            kept=setup.kept(),
            setup=setup.strip(merchant),
        )

    @page("/<id>/check", "contract.write", ("POST",))
    def check(self, id: str) -> Any:
        contract = _read(parse_id("ctr", id))
        look_at(contract["live"])
        try:
            found = check_contract(contract, actor=actor())
        except Refusal as refusal:
            say_refused(refusal)
        else:
            say(
                reached.sentence(found, formats.said(CONNECTORS[contract["provider"]].LABEL), contract["live"]),
                reached.tone(found),
            )
            if found.works:
                return setup.onward(contract["merchant_id"], url("contracts.detail", id=id))
        return go(url("contracts.detail", id=id, **setup.kept()))

    @page("/<id>/change", "contract.write", ("GET", "POST"), fresh=True)
    def change(self, id: str) -> Any:
        contract = _read(parse_id("ctr", id))
        look_at(contract["live"])
        connector = CONNECTORS[contract["provider"]]
        stored = dict(contracts.opened(contract).settings)
        form = form_for(connector, stored, data=dict(contract))
        merchant, before = read_merchant(contract["merchant_id"]), contract["settings_sealed"]
        if trying.wanted():
            about = {"merchant_id": merchant["id"], "live": contract["live"], "provider": contract["provider"]}
            tried = trying.answer(form, **about, before=before)
            if tried is not None:
                return tried
        elif form.validate_on_submit():
            try:
                values, told = values_of(form), _told(contract, values_of(form))
                complete = contracts.complete(contract["provider"], form.given(), before)
                if complete != stored:
                    told["after"]["settings"] = settings_told(connector, complete, stored)
                    sealed = contracts.sealed_settings(contract["provider"], form.given(), before)
                    values |= {"settings_sealed": sealed, "checked_at": None, "check_result": None}
                with atomic(of(contract["merchant_id"], contract["live"])) as work:
                    whose = {"merchant_id": contract["merchant_id"], "live": contract["live"]}
                    more = {"subject_id": contract["id"], "params": told, "secrets": {"settings": complete}}
                    if told["before"] != told["after"] and ask_or_do(work, "contract_change", **whose, **more):
                        return asked_for()
                    change(work, CONTRACTS, contract["id"], values, noun="contract", actor=actor())
            except Refusal as refusal:
                if not form.refuse(refusal):
                    form.form_errors.append(said(refusal))
            else:
                say(_("Saved."))
                if "settings_sealed" in values:
                    trying.after_saving(_read(contract["id"]))
                return setup.onward(merchant["id"], url("contracts.detail", id=id))
        return self.show(
            "contract_form",
            title=_("Change %(name)s", name=contract["label"]),
            form=form,
            connector=connector,
            contract=contract,
            merchant=merchant,
            can_test=isinstance(connector, Checks),
            setup=setup.strip(merchant),
        )


def _told(contract: Any, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a second person reads of a change."""
    return {"before": {name: contract[name] for name in values}, "after": dict(values)}


def _read(contract_id: UUID) -> Any:
    row = connection().execute(select(CONTRACTS).where(CONTRACTS.c.id == contract_id)).mappings().first()
    if row is None:
        raise NotFound()
    return row


SCREEN = Contracts

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import contracts as _me

    _check: ScreenModule = _me
