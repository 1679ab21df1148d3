"""The ``cognito-idp`` JSON operations an application uses at run time: ``POST /``.

``X-Amz-Target`` names the operation. Signatures are not checked, so that any AWS credentials work
(boto3: ``client("cognito-idp", endpoint_url=…, region_name="local-1")``). Errors have status 400
and a ``__type``, which is UnknownOperationException for an operation that is not implemented.
"""

import json
from collections.abc import Callable
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from . import api_clients, api_secrets, api_sessions, api_users, grants
from .errors import INVALID, TokenError, UserError
from .pool import Pool

OPERATIONS: dict[str, Callable[[Pool, dict[str, Any]], dict[str, Any] | None]] = {
    name: perform
    for module in (api_users, api_clients, api_secrets, api_sessions)
    for name, perform in module.OPERATIONS.items()
}
JSON = "application/x-amz-json-1.1"
OAUTH_ERRORS = {
    "invalid_client": "NotAuthorizedException",
    "invalid_grant": "NotAuthorizedException",
    "invalid_token": "NotAuthorizedException",
    "unsupported_token_type": "UnsupportedTokenTypeException",
}


def call(pool: Pool) -> Response:
    name = operation()
    perform = OPERATIONS.get(name)
    if perform is None:
        raise UserError("UnknownOperationException", f"The local pool has no operation {name}.")
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        raise UserError("SerializationException", "The body must be a JSON object.") from None
    try:
        if body.get("UserPoolId", pool.config.id) != pool.config.id:
            missing = f"User pool {body['UserPoolId']} does not exist."
            raise UserError("ResourceNotFoundException", missing)
        result = perform(pool, body)
    except KeyError as error:
        required = f"1 validation error detected: {error.args[0]} must not be null"
        raise UserError(INVALID, required) from None
    except (AttributeError, TypeError, ValueError):
        raise UserError(INVALID, "A member has the wrong type.") from None
    except TokenError as error:
        kind = OAUTH_ERRORS.get(error.error, INVALID)
        kind = "RefreshTokenReuseException" if error.cause == grants.REUSED else kind
        raise UserError(kind, error.cause) from None
    pool.journal.line(f"api       {name} {body.get('Username', '')}")
    return Response(json.dumps(result or {}), content_type=JSON)


def operation() -> str:
    return request.headers.get("X-Amz-Target", "").rpartition(".")[2][:60] or "(none)"


def exception(pool: Pool, error: UserError) -> Response:
    body = json.dumps({"__type": error.error, "message": error.message})
    headers = {"x-amzn-ErrorType": error.error, "x-amzn-ErrorMessage": error.message}
    return Response(body, 400, headers, content_type=JSON)


ROUTES = (("/", "api", call, ["POST"]),)
