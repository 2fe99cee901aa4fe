"""Texts of forms, which are written before a request says in which language."""

from typing import Any

from flask_babel import lazy_gettext


def lazy(text: str) -> Any:
    """Translated when it is shown. (WTForms declares its labels as plain texts, hence Any.)"""
    return lazy_gettext(text)
