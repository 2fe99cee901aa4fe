"""The form of a contract: built from what the connector asks for; secrets can be written, never read."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from wtforms import BooleanField, IntegerField, PasswordField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import PasswordInput

from admin import choices, formats, words
from admin.fields import Several, options
from admin.forms import REQUIRED, TIDY, OnceForm
from admin.texts import lazy as _l
from app.connectors.kinds import Connector
from app.core.errors import Refusal
from app.merchants import contracts

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

    tried: Mapping[str, str] | None = None  # what came of testing what is typed

    def show_again(self) -> None:
        """After a test: what was typed stands there again, also the secrets; nothing was saved."""
        for field in self.settings():
            if isinstance(field, PasswordField):
                field.widget = PasswordInput(hide_value=False)

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


def values_of(form: ContractForm, *, with_active: bool = True) -> dict[str, Any]:
    names = ["label", "methods", "currencies", "priority", "authorisation_days", "honour_days"]
    return {name: form[name].data for name in ([*names, "active"] if with_active else names)}


def settings_shown(contract: Any, connector: Connector | None) -> list[tuple[str, str, bool]]:
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


def settings_told(connector: Connector, after: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """What a second person reads of new settings: of a secret only that it is another."""
    return {
        one.name: _("(another secret)") if one.secret else after.get(one.name, "")
        for one in connector.SETTINGS
        if after.get(one.name, "") != before.get(one.name, "")
    }
