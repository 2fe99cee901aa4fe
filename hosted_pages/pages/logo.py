"""`/pay/<token>/logo`: the shop's logo. Only the checkout's own pages can show it."""

from typing import TYPE_CHECKING, Any

from flask import Response

from app.core.errors import NotFound
from hosted_pages.kinds import Page
from hosted_pages.looks import look_of
from hosted_pages.visit import arrive

PATH = "/pay/<token>/logo"
VERBS = ("GET",)


def answer(token: str) -> Any:
    shop = arrive(token, shared=True).opened.shop
    if look_of(shop).logo is None:
        raise NotFound()
    picture = Response(shop["logo"], mimetype=shop["logo_type"])
    picture.headers["Cache-Control"] = "private, max-age=86400"  # its address changes with it
    picture.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    return picture


if TYPE_CHECKING:
    from hosted_pages.pages import logo as _me

    _: Page = _me
