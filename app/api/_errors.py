"""Errors of the API: `{"error": {type, code, message, param, request_id, doc_url, advice}}`."""

import json

from flask import Response

from app.config import settings
from app.core.problem import Problem
from app.core.web import language, request_id


def render(problem: Problem) -> Response:
    error = {
        "type": problem.kind,
        "code": problem.code,
        "message": problem.said(),
        "param": problem.param,
        "request_id": request_id(),
        "doc_url": f"{settings().public_url}/docs#error-{problem.code}",
        "advice": problem.advised(),
    }
    body = json.dumps({"error": error}, ensure_ascii=False, separators=(",", ":"))
    response = Response(body, problem.status, content_type="application/json")
    response.headers["Content-Language"] = language()
    response.headers["Cache-Control"] = "no-store"
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Zahlwerk API"'
    return response
