"""The entry points on AWS Lambda: `handler` for HTTP requests, `manage` for commands.

Both write their metrics to the log (observability/embedded_metrics.py) when they end.

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

# Commands of Django that `manage` runs, next to all of the other apps but those for a checkout.
_DJANGO_COMMANDS = {"migrate", "showmigrations", "check", "createsuperuser"}
_LOCAL_COMMANDS = {"cognito_env", "database_ready", "dev", "runserver"}
_WITHOUT_INPUT = {"migrate", "createsuperuser"}
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


def load_environment(text: str) -> None:
    """Load the members of a JSON object into the environment. Variables that are set stay."""
    for name, value in json.loads(text).items():
        os.environ.setdefault(name, value if isinstance(value, str) else json.dumps(value))


def load_secrets(arn: str) -> None:
    """Load the members of a Secrets Manager secret, a JSON object, into the environment.

    The CloudFormation template does not do this, because everyone who can view a function can read
    its environment. Variables that are already set are not changed. Raises AwsError.
    """
    from accounts.provider.aws import secret_string

    load_environment(secret_string(arn))


if os.environ.get("APP_ENVIRONMENT"):
    load_environment(os.environ["APP_ENVIRONMENT"])
if os.environ.get("APP_SECRET_ARN"):
    load_secrets(os.environ["APP_SECRET_ARN"])

from apig_wsgi import make_lambda_handler  # noqa: E402 (the settings need the secrets)
from django.conf import settings  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from .lambda_event import http_request, no_request  # noqa: E402
from .lambda_request import LambdaRequest  # noqa: E402
from .lambda_response import CompressedResponse, fit  # noqa: E402
from .observability.embedded_metrics import EmbeddedMetrics  # noqa: E402
from .wsgi import application  # noqa: E402


def origin_secrets() -> tuple[str, ...]:
    """Return what CloudFront may send: ORIGIN_VERIFY, and its previous values."""
    fallbacks = os.environ.get("ORIGIN_VERIFY_FALLBACKS", "").split(",")
    values = (os.environ.get("ORIGIN_VERIFY", ""), *fallbacks)
    return tuple(value.strip() for value in values if value.strip())


get_resolver().url_patterns  # noqa: B018 (imports all views before the first request)
_adapter = make_lambda_handler(
    LambdaRequest(
        CompressedResponse(application),
        origin_secrets=origin_secrets(),
        host=urlsplit(settings.PUBLIC_URL).netloc,
        base_path=settings.LAMBDA_BASE_PATH,
    ),
    binary_support=True,
    non_binary_content_type_prefixes=_TEXT,
)
_metrics = EmbeddedMetrics(os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"))
WARM_UP = "warm_up"  # the member of the event that the schedule of the template sends


def handler(event: object, context: object) -> dict[str, Any]:
    """Return the response to `event`, in the payload format of its request.

    A warm-up event only starts or keeps this instance: everything above has run by then.
    """
    if isinstance(event, dict) and event.keys() == {WARM_UP}:
        return {WARM_UP: "done"}
    request = http_request(event)
    if request is None:
        return no_request(event)
    try:
        return fit(_adapter(request, context), request)
    finally:
        _metrics.write()


def allowed_commands() -> set[str]:
    """Return the names of the commands that `manage` runs."""
    from django.core.management import get_commands

    own = {name for name, app in get_commands().items() if not str(app).startswith("django.")}
    return (own - _LOCAL_COMMANDS) | _DJANGO_COMMANDS


def manage(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Run `{"command": ["migrate"]}` and return `{"status": 0, "output": "…"}`.

    IAM decides who can call this. `status` is the exit status of the command.

    Raises:
        ValueError: the event has no command that is allowed here.
        CommandError: the command failed.
    """
    from django.core.management import call_command

    from .observability.metrics_view import DATABASE  # its models need Django, which wsgi starts

    command = event.get("command")
    if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
        raise ValueError('The command must be a list of words, such as {"command": ["migrate"]}.')
    command = [_RENAMED.get(word, word) for word in command[:1]] + command[1:]
    allowed = allowed_commands()
    if not command or command[0] not in allowed:
        raise ValueError(f"The command must be one of {', '.join(sorted(allowed))}.")
    output, status = io.StringIO(), 0
    if command[0] in _WITHOUT_INPUT:
        command = [*command, "--no-input"]
    try:
        call_command(*command, stdout=output, stderr=output)
    except SystemExit as error:  # would end the instance and lose the output
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    finally:
        # Housekeeping runs every few minutes, so it also reports what the database holds.
        _metrics.write(DATABASE.collect() if command[0] == "cognito_housekeeping" else ())
    return {"status": status, "output": output.getvalue()}
