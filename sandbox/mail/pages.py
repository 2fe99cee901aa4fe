"""What the mail catcher shows, and the same as JSON for tests."""

from typing import Any

from flask import Response, abort, current_app, jsonify, redirect, render_template, request, url_for

from sandbox.mail import blueprint
from sandbox.mail.box import Mail, Mailbox

# A message is shown as it would look, but nothing in it runs, loads from elsewhere, or leads anywhere by itself.
_HTML_POLICY = "sandbox allow-popups; default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def _mailbox() -> Mailbox:
    return current_app.extensions["sandbox_mail"]


@blueprint.get("/")
def inbox() -> str:
    wanted = request.args.get("q", "").strip()
    mails = [mail for mail in _mailbox().all() if _matches(mail, wanted)]
    return render_template("sandbox/mail.html", mails=mails, open=mails[0] if mails else None, wanted=wanted)


@blueprint.get("/<name>")
def show(name: str) -> str:
    mail = _mailbox().get(name) or abort(404)
    return render_template("sandbox/mail.html", mails=_mailbox().all(), open=mail, wanted="")


@blueprint.get("/<name>/html")
def html(name: str) -> Response:
    mail = _mailbox().get(name) or abort(404)
    page = Response(mail.html or "", content_type="text/html; charset=utf-8")
    page.headers["Content-Security-Policy"] = _HTML_POLICY
    return page


@blueprint.get("/<name>/raw")
def raw(name: str) -> Response:
    mail = _mailbox().get(name) or abort(404)
    return Response(mail.raw, content_type="text/plain; charset=utf-8")


@blueprint.get("/<name>/attachments/<int:number>")
def attachment(name: str, number: int) -> Response:
    found = (_mailbox().get(name) or abort(404)).attachments
    if number >= len(found):
        abort(404)
    filename, content_type, content = found[number]
    answer = Response(content, content_type=content_type)
    answer.headers.set("Content-Disposition", "attachment", filename=filename)
    return answer


@blueprint.post("/clear")
def clear_by_button() -> Any:
    _mailbox().clear()
    return redirect(url_for("mail.inbox"), 303)


@blueprint.get("/messages.json")
def messages() -> Any:
    """Newest first; `?q=` as on the page, `?to=` an exact recipient."""
    wanted, to = request.args.get("q", ""), request.args.get("to")
    mails = [mail for mail in _mailbox().all() if _matches(mail, wanted) and to in (None, *mail.recipients)]
    return jsonify([_as_json(mail) for mail in mails])


@blueprint.delete("/messages.json")
@blueprint.delete("/")
def clear() -> Any:
    return jsonify({"deleted": _mailbox().clear()})


def _matches(mail: Mail, wanted: str) -> bool:
    text = " ".join([mail.subject, *mail.recipients, mail.text or "", mail.html or ""])
    return wanted.casefold() in text.casefold()


def _as_json(mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.id,
        "received_at": mail.received_at.isoformat(),
        "from": str(mail.message["From"] or mail.sender),
        "to": mail.recipients,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "links": mail.links,
        "headers": {name: str(value) for name, value in mail.message.items()},
        "attachments": [{"name": name, "type": kind, "bytes": len(c)} for name, kind, c in mail.attachments],
    }
