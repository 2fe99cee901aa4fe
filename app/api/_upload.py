"""Files in requests: multipart/form-data, larger than other bodies, on the routes that say so."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from flask import Request, current_app, request
from pydantic import InstanceOf, WithJsonSchema
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from app.core.errors import Refusal
from app.core.texts import N_
from app.documents.keep import DocumentTooLarge
from app.documents.limits import LARGEST_BYTES

View = TypeVar("View", bound=Callable[..., Any])

MULTIPART = "multipart/form-data"
BODY_BYTES = LARGEST_BYTES + 100_000  # the other fields, and what is between them
_ATTRIBUTE = "takes_file"

Upload = Annotated[
    InstanceOf[FileStorage],
    WithJsonSchema(
        {
            "type": "string",
            "format": "binary",
            "description": f"At most {LARGEST_BYTES // 1_000_000} MB. What it is, is decided by its bytes.",
        }
    ),
]


class MultipartNeeded(Refusal):
    status = 415
    code = "multipart_needed"
    message = N_("This is taken as multipart/form-data only.")
    advice = N_("Send the file as a part with a file name, and the other fields as parts of their own.")


def takes_file(view: View) -> View:
    """Declares that a route takes one file of up to 20 MB."""
    setattr(view, _ATTRIBUTE, True)
    return view


def allow_its_size() -> None:
    """Before anything of the body is read, and only for callers who may send it: the limit of this route."""
    if hasattr(current_app.view_functions[request.endpoint or ""], _ATTRIBUTE):
        request.max_content_length = BODY_BYTES


def parts_of(request: Request) -> dict[str, Any]:
    """The parts by name; what comes twice is a list, which no field takes.

    Raises MultipartNeeded, DocumentTooLarge.
    """
    if request.mimetype != MULTIPART:
        raise MultipartNeeded()
    try:
        parts = [*request.form.lists(), *request.files.lists()]
    except RequestEntityTooLarge:
        raise DocumentTooLarge() from None
    found: dict[str, list[Any]] = {}
    for name, values in parts:
        found.setdefault(name, []).extend(values)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def fingerprint(fields: Mapping[str, Any], filename: str | None, content: bytes) -> bytes:
    """The same for the same fields and file: clients choose another boundary each time they send them."""
    return json.dumps([fields, filename, hashlib.sha256(content).hexdigest()], sort_keys=True).encode()
