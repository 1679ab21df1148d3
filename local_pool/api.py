"""The cognito-idp JSON operations."""

from typing import Any

from flask import jsonify
from werkzeug.wrappers import Response

from .errors import PersonRefused
from .pool import Pool


def operation() -> str:
    return ""


def exception(pool: Pool, refusal: PersonRefused) -> Response:
    response = jsonify({"__type": refusal.type, "message": refusal.message})
    response.status_code = 400
    return response


ROUTES: tuple[Any, ...] = ()
