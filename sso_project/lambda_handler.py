"""The entry points on AWS Lambda: `handler` for HTTP requests, `manage` for commands.

apig-wsgi translates events to WSGI and back. The site is synchronous Django, so an ASGI adapter
would only add an event loop and a thread to each request. The code at module level runs once for
each new instance, before its first request.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

COMMANDS = {"migrate", "check", "cognito_housekeeping", "cognito_sign_out_user", "cognito_doctor"}
# A stack that was deployed with 0.1 sends these names. Delete them in 0.3.
_RENAMED = {"housekeeping": "cognito_housekeeping", "sign_out_user": "cognito_sign_out_user"}
# These are sent as text, the rest as base64, which has a third more bytes.
_TEXT = (
    "text/",
    "application/json",
    "application/problem+json",
    "application/javascript",
    "application/vnd.oai.openapi",
    "image/svg+xml",
)


def load_secrets(arn: str) -> None:
    """Load the members of a Secrets Manager secret, a JSON object, into the environment.

    The CloudFormation template does not do this, because everyone who can view a function can read
    its environment. Variables that are already set are not changed. Raises AwsError.
    """
    from accounts.provider.aws import secret_string

    for name, value in json.loads(secret_string(arn)).items():
        os.environ.setdefault(name, str(value))


if os.environ.get("APP_SECRET_ARN"):
    load_secrets(os.environ["APP_SECRET_ARN"])

from apig_wsgi import make_lambda_handler  # noqa: E402 (the settings need the secrets)
from django.conf import settings  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from .lambda_event import http_request, no_request  # noqa: E402
from .lambda_request import LambdaRequest  # noqa: E402
from .lambda_response import CompressedResponse, fit  # noqa: E402
from .wsgi import application  # noqa: E402

get_resolver().url_patterns  # noqa: B018 (imports all views before the first request)
_adapter = make_lambda_handler(
    LambdaRequest(
        CompressedResponse(application),
        origin_secret=os.environ.get("ORIGIN_VERIFY", ""),
        host=urlsplit(settings.PUBLIC_URL).netloc,
        base_path=settings.LAMBDA_BASE_PATH,
    ),
    binary_support=True,
    non_binary_content_type_prefixes=_TEXT,
)


def handler(event: object, context: object) -> dict[str, Any]:
    """Return the response to `event`, in the payload format of its request."""
    request = http_request(event)
    return no_request(event) if request is None else fit(_adapter(request, context), request)


def manage(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Run `{"command": ["migrate"]}` and return `{"status": 0, "output": "…"}`.

    IAM decides who can call this. `status` is the exit status of the command.

    Raises:
        ValueError: the event has no command that is in COMMANDS.
        CommandError: the command failed.
    """
    from django.core.management import call_command

    command = event.get("command")
    if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
        raise ValueError('The command must be a list of words, such as {"command": ["migrate"]}.')
    command = [_RENAMED.get(word, word) for word in command[:1]] + command[1:]
    if not command or command[0] not in COMMANDS:
        raise ValueError(f"The command must be one of {', '.join(sorted(COMMANDS))}.")
    output, status = io.StringIO(), 0
    if command[0] == "migrate":
        command = [*command, "--no-input"]
    try:
        call_command(*command, stdout=output, stderr=output)
    except SystemExit as error:  # would end the instance and lose the output
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    return {"status": status, "output": output.getvalue()}
