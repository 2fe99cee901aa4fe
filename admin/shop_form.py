"""The form of a shop: its look, its words, and who may embed its checkout; checked as a whole."""

import base64
import re
from typing import Any

from flask import request
from flask_babel import gettext as _
from wtforms import BooleanField, FileField, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from admin import choices
from admin.fields import Several, options
from admin.forms import REQUIRED, TIDY, OnceForm
from admin.texts import lazy as _l
from app.core.errors import Refusal
from app.core.texts import N_
from app.merchants import logo
from app.merchants.contrast import AccentTooWeak, BadColour, check_accent, normal
from app.messages.events import by_name
from app.staff.add import checked_email

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?")


class BadOrigin(Refusal):
    code = "bad_origin"
    message = N_("“%(origin)s” is not an origin.")
    advice = N_("Write them like https://shop.example, one per line, without a path.")


class BadAddress(Refusal):
    code = "bad_address"
    message = N_("“%(address)s” is not a web address.")
    advice = N_("It begins with https://.")


class ShopForm(OnceForm):
    name = StringField(_l("Name"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=120)])
    language = SelectField(_l("Language of its pages"), choices=options(choices.LANGUAGES))
    accent = StringField(_l("Colour of buttons"), filters=TIDY, default="#1f4fd8", validators=[DataRequired(REQUIRED)])
    radius = IntegerField(
        _l("Roundness of corners in pixels"),
        default=10,
        validators=[InputRequired(REQUIRED), NumberRange(0, 28, _l("Between 0 and 28."))],
    )
    font = SelectField(_l("Typeface"))
    theme = SelectField(_l("Brightness"))
    logo = FileField(_l("Logo"))
    kept_logo = HiddenField()  # the one of an answer that was refused for something else
    remove_logo = BooleanField(_l("Remove the logo"))
    allowed_origins = TextAreaField(
        _l("Sites that may embed the checkout"), filters=TIDY, validators=[Length(max=2000)]
    )
    terms_url = StringField(_l("Terms"), filters=TIDY, validators=[Optional(), Length(max=500)])
    privacy_url = StringField(_l("Privacy"), filters=TIDY, validators=[Optional(), Length(max=500)])
    imprint_url = StringField(_l("Imprint"), filters=TIDY, validators=[Optional(), Length(max=500)])
    notify_email = StringField(
        _l("E-mail address for notifications"), filters=TIDY, validators=[Optional(), Length(max=200)]
    )
    notify_events = Several(_l("Notified of"))
    payer_receipts = BooleanField(_l("Send payers a receipt by e-mail"))
    welcome_de = StringField(filters=TIDY, validators=[Length(max=300)])
    welcome_en = StringField(filters=TIDY, validators=[Length(max=300)])
    thanks_de = StringField(filters=TIDY, validators=[Length(max=300)])
    thanks_en = StringField(filters=TIDY, validators=[Length(max=300)])
    support_de = StringField(filters=TIDY, validators=[Length(max=300)])
    support_en = StringField(filters=TIDY, validators=[Length(max=300)])

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.font.choices = options({name: _(label) for name, label in choices.FONTS.items()})
        self.notify_events.choices = options({event.NAME: _(event.TITLE) for event in by_name().values()})
        self.theme.choices = options({name: _(label) for name, label in choices.THEMES.items()})
        if request.method == "POST" and request.form.get("take"):  # the colour that was proposed
            self.accent.data = request.form["take"][:20]

    def words(self) -> list[tuple[str, list[tuple[str, Any]]]]:
        """(what it is, [(language, field)]) for each text a shop may have."""
        return [
            (_(label), [(name, self[f"{key}_{code}"]) for code, name in choices.LANGUAGES.items()])
            for key, label in choices.SHOP_TEXTS.items()
        ]


def shown(shop: Any) -> dict[str, Any]:
    """A row of `shops` as the form's data."""
    texts = {
        f"{key}_{code}": (shop["texts"].get(code) or {}).get(key, "")
        for key in choices.SHOP_TEXTS
        for code in choices.LANGUAGES
    }
    return {**shop, **texts, "logo": None, "allowed_origins": "\n".join(shop["allowed_origins"])}


def values_of(form: ShopForm, shop: Any) -> dict[str, Any] | None:
    """The columns as the form gives them; None when a field was refused (the error stands at it).

    `shop`: the row as it is, empty for a new one.
    """
    try:
        picture = _logo(form)
        valid = form.validate()
        columns = {
            **{name: form[name].data for name in ("name", "language", "radius", "font", "theme", "payer_receipts")},
            **{name: _address(name, form[name].data) for name in ("terms_url", "privacy_url", "imprint_url")},
            "accent": check_accent(form.accent.data or ""),
            "notify_email": _email(form.notify_email.data),
            "notify_events": form.notify_events.data or [],
            "allowed_origins": _origins(form.allowed_origins.data or ""),
            "texts": _texts(form, shop),
            **picture,
        }
    except Refusal as refusal:
        form.validate()
        form.refuse(refusal)
        return None
    return columns if valid else None


def colour(form: ShopForm) -> dict[str, Any]:
    """`accent` for the picker; `nearest`: the nearest colour that can be read, if the one typed cannot."""
    typed = form.accent.data or ""
    try:
        return {"accent": check_accent(typed), "nearest": None}
    except AccentTooWeak as refusal:
        return {"accent": normal(typed), "nearest": refusal.values["nearest"]}
    except BadColour:
        return {"accent": "#1f4fd8", "nearest": None}


def _texts(form: ShopForm, shop: Any) -> dict[str, Any]:
    before = dict(shop["texts"]) if shop else {}
    for code in choices.LANGUAGES:
        said = {key: form[f"{key}_{code}"].data or "" for key in choices.SHOP_TEXTS}
        before[code] = {**(before.get(code) or {}), **said}
        before[code] = {key: text for key, text in before[code].items() if text}
    return {code: texts for code, texts in before.items() if texts}


def _logo(form: ShopForm) -> dict[str, Any]:
    """Read first, and kept in the form: a browser does not send a file again after an answer about something else."""
    upload, kept = request.files.get(form.logo.name), form.kept_logo.data
    form.kept_logo.data = ""
    content = logo.of_form(upload.stream if upload is not None and upload.filename else None, kept)
    if content is None:
        return {"logo": None, "logo_type": None} if form.remove_logo.data else {}
    form.kept_logo.data = base64.b64encode(content).decode()
    return {"logo": content, "logo_type": logo.TYPE}


def _address(name: str, typed: str | None) -> str | None:
    if not typed:
        return None
    if not re.fullmatch(r"https?://[^\s<>\"']+", typed):
        raise BadAddress(param=name, address=typed[:80])
    return typed


def _email(typed: str | None) -> str | None:
    if not typed:
        return None
    try:
        return checked_email(typed)
    except Refusal as refusal:
        refusal.param = "notify_email"
        raise


def _origins(typed: str) -> list[str]:
    origins = [line.strip().rstrip("/") for line in typed.splitlines() if line.strip()]
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise BadOrigin(param="allowed_origins", origin=origin[:80])
    return origins
