"""AWS Lambda's entry points: `handler` answers HTTP requests, `manage` runs commands.

apig-wsgi translates payloads to WSGI and back: the site is synchronous Django, so an ASGI adapter
would only add an event loop and a thread to each request. What the module does while it is being
imported happens once for each new instance, before its first request.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

COMMANDS = {"migrate", "check", "housekeeping", "sign_out_user", "cognito_doctor"}
# Text needs no base64, which costs a third more bytes; everything else does.
_TEXT = (
    "text/",
    "application/json",
    "application/problem+json",
    "application/javascript",
    "application/vnd.oai.openapi",
    "image/svg+xml",
)


def load_secrets(arn: str) -> None:
    """Put the members of a secret in Secrets Manager, a JSON object, into the environment.

    Read here and not by the template: values in a function's configuration are shown to everybody
    who may look at it. What is set already stays.
    """
    import boto3  # part of Lambda's own Python, and of its base image

    answer = boto3.client("secretsmanager").get_secret_value(SecretId=arn)
    for name, value in json.loads(answer["SecretString"]).items():
        os.environ.setdefault(name, str(value))


if os.environ.get("APP_SECRET_ARN"):
    load_secrets(os.environ["APP_SECRET_ARN"])

from apig_wsgi import make_lambda_handler  # noqa: E402 (settings read what was loaded)
from django.conf import settings  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from .lambda_event import http_request, no_request  # noqa: E402
from .lambda_request import LambdaRequest  # noqa: E402
from .lambda_response import CompressedResponse, fit  # noqa: E402
from .wsgi import application  # noqa: E402

get_resolver().url_patterns  # noqa: B018 (imports every page now, before somebody waits for one)
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
    """Return the response to `event`, in the payload format of the request that it holds."""
    request = http_request(event)
    return no_request(event) if request is None else fit(_adapter(request, context), request)


def manage(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Run `{"command": ["migrate"]}` and return `{"status": 0, "output": "…"}`.

    IAM decides who may call this. `status` is what the command would leave a shell with: the
    doctor's findings come with 1. Raises ValueError for a command that is not in COMMANDS,
    CommandError when one couldn't do its work.
    """
    from django.core.management import call_command

    command = event.get("command")
    if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
        raise ValueError('Give the command as a list of words: {"command": ["migrate"]}.')
    if not command or command[0] not in COMMANDS:
        raise ValueError(f"Commands that can be run here: {', '.join(sorted(COMMANDS))}.")
    output, status = io.StringIO(), 0
    if command[0] == "migrate":
        command = [*command, "--no-input"]
    try:
        call_command(*command, stdout=output, stderr=output)
    except SystemExit as end:  # would end the instance, and what was said would be lost
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    return {"status": status, "output": output.getvalue()}
