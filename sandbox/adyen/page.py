"""The 3-D Secure page of the Adyen stand-in: works in a frame, without cookies and without JavaScript."""

from typing import Any
from urllib.parse import urlencode

from flask import abort, redirect, request

from sandbox.acs_page import acs_page
from sandbox.adyen import blueprint
from sandbox.adyen.answers import book


@blueprint.get("/acs/<key>")
def acs(key: str) -> Any:
    waiting = book().store.get("redirects", key) or abort(404)
    amount = f"{waiting['payment']['value']} {waiting['payment']['currency']}"
    return acs_page("Adyen", amount, still_open=not waiting.get("choice"))


@blueprint.post("/acs/<key>")
def passed(key: str) -> Any:
    """`choice=pass` or anything else; then back to the shop with a result that counts once."""
    with book().store.lock:
        waiting = book().store.get("redirects", key) or abort(404)
        if not waiting.get("choice"):
            waiting["choice"] = "pass" if request.form.get("choice") == "pass" else "fail"
            waiting["result"] = f"{key}!{waiting['choice']}"
            book().store.put("redirects", key, waiting)
    joint = "&" if "?" in waiting["return_url"] else "?"
    result = f"{key}!{waiting['choice']}"
    return redirect(waiting["return_url"] + joint + urlencode({"redirectResult": result}), 303)
