"""The ``cognito-idp`` JSON API: ``POST /``.

``X-Amz-Target`` names the operation. Signatures are not checked, so that any AWS credentials work
(boto3: ``client("cognito-idp", endpoint_url=…, region_name="local-1")``). Errors have status 400
and a ``__type``. AWS's model of the API checks each request before an operation performs it.
"""

import json
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from . import (
    api_cimd,
    api_clients,
    api_groups,
    api_import,
    api_mfa,
    api_passkeys,
    api_pool,
    api_providers,
    api_resource_servers,
    api_secrets,
    api_self,
    api_sessions,
    api_sign_in,
    api_sign_up,
    api_users,
    grants,
    operations,
    service_model,
)
from .api_shapes import Operations
from .errors import INVALID, TokenError, UserError
from .pool import NO_USER, Pool

MODULES = (
    api_sign_in,
    api_sign_up,
    api_self,
    api_mfa,
    api_passkeys,
    api_sessions,
    api_users,
    api_groups,
    api_import,
    api_clients,
    api_cimd,
    api_secrets,
    api_resource_servers,
    api_pool,
    api_providers,
)
OPERATIONS: Operations = {k: v for module in MODULES for k, v in module.OPERATIONS.items()}
# Operations that refuse all other members, which they could only ignore.
ACCEPTED = api_pool.ACCEPTED | api_clients.ACCEPTED | api_mfa.ACCEPTED | api_providers.ACCEPTED
JSON = "application/x-amz-json-1.1"
OAUTH_ERRORS = {
    "invalid_client": "NotAuthorizedException",
    "invalid_grant": "NotAuthorizedException",
    "invalid_token": "NotAuthorizedException",
    "unauthorized_client": "NotAuthorizedException",
    "unsupported_token_type": "UnsupportedTokenTypeException",
}
CAUSES = {grants.REUSED: "RefreshTokenReuseException", NO_USER: "UserNotFoundException"}


def call(pool: Pool) -> Response:
    name = operation()
    perform = OPERATIONS.get(name)
    if perform is None:
        message = operations.unknown_operation(name, pool.config.domain)
        raise UserError("UnknownOperationException", message)
    body = _read(request.get_data() or b"{}")
    service_model.check(name, body)
    if refused := ", ".join(operations.refused_members(name, body, ACCEPTED)):
        raise UserError(INVALID, f"The local pool cannot change {refused}.")
    if body.get("UserPoolId", pool.config.id) != pool.config.id:
        missing = f"User pool {body['UserPoolId']} does not exist."
        raise UserError("ResourceNotFoundException", missing)
    try:
        result = perform(pool, body)
    except TokenError as error:
        kinds = {shape.name for shape in service_model.operation_model(name).error_shapes}
        kind = CAUSES.get(error.cause, "")
        kind = kind if kind in kinds else OAUTH_ERRORS.get(error.error, INVALID)
        raise UserError(kind, error.cause) from None
    pool.journal.line(f"api       {name} {body.get('Username', '')}")
    if service_model.operation_model(name).output_shape is None:
        return Response(b"", content_type=JSON)
    return Response(json.dumps(result or {}), content_type=JSON)


def _read(data: bytes) -> Any:
    """Return the body, in which a member that is null counts as absent."""
    try:
        body = json.loads(data, object_hook=lambda d: {k: v for k, v in d.items() if v is not None})
        json.dumps(body, ensure_ascii=False).encode()  # half of a character is a ValueError
    except (ValueError, RecursionError):
        raise UserError("SerializationException", "The body must be a JSON object.") from None
    return body


def operation() -> str:
    return request.headers.get("X-Amz-Target", "").rpartition(".")[2][:60] or "(none)"


def exception(pool: Pool, error: UserError) -> Response:
    body = json.dumps({"__type": error.error, "message": error.message})
    text = " ".join(error.message.encode("ascii", "replace").decode().split())
    headers = {"x-amzn-ErrorType": error.error, "x-amzn-ErrorMessage": text}
    return Response(body, 400, headers, content_type=JSON)


ROUTES = (("/", "api", call, ["POST"]), *api_import.ROUTES)
