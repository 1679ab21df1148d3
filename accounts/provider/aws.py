"""Calls that need AWS credentials, through boto3 where it is installed.

Nothing of signing in needs this: it serves commands that people run, and signing out everywhere
where there are credentials. Credentials, region and endpoint come from where boto3 finds them for
every program; a local pool takes any.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from ..cognito.safe_urls import is_loopback
from . import aws_messages


class AwsProblem(Exception):
    """Why AWS could not be asked, and what to do next, in one or two sentences.

    `code` is AWS's own name of its refusal, empty when it did not answer.
    """

    def __init__(self, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


def call(
    service: str,
    operation: str,
    *,
    region: str,
    issuer: str = "",
    seconds: float | None = None,
    **parameters: Any,
) -> Mapping[str, Any]:
    """Call one operation, such as `call("cognito-idp", "describe_user_pool", region=…, …)`.

    `issuer` of a pool on this machine leads the call there. `seconds` is how long each of
    connecting and answering may take, and then it is tried once. Raises AwsProblem.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
    except ModuleNotFoundError as error:
        raise AwsProblem(aws_messages.NO_BOTO3) from error
    local = _on_this_machine(issuer)
    timeouts = Config(
        connect_timeout=seconds or 3,
        read_timeout=seconds or 10,
        retries={"total_max_attempts": 1 if seconds else 2},
    )
    try:
        # boto3 itself looks at AWS_DEFAULT_REGION alone; other tools of AWS know this one.
        region = region or os.environ.get("AWS_REGION", "")
        session = boto3.Session(region_name=region or None)
        region = session.region_name or ""
        client = session.client(service, config=timeouts, **local)
        return cast(Mapping[str, Any], getattr(client, operation)(**parameters))
    except ClientError as error:
        refusal = error.response.get("Error", {})
        action = f"{service}:{operation.title().replace('_', '')}"
        sentence = aws_messages.of_refusal(refusal, action=action, region=region)
        raise AwsProblem(sentence, code=refusal.get("Code", "")) from error
    except (BotoCoreError, ResponseParserError, ValueError) as error:
        endpoint = str(local.get("endpoint_url", ""))
        sentence = aws_messages.of_failure(error, region=region, local=endpoint)
        raise AwsProblem(sentence) from error


def _on_this_machine(issuer: str) -> dict[str, str]:
    """What leads boto3 to a local pool, which checks no credentials; nothing for one at AWS."""
    if not issuer or not is_loopback(issuer):
        return {}
    parts = urlsplit(issuer)
    return {
        "endpoint_url": f"{parts.scheme}://{parts.netloc}",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
