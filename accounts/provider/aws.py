"""Calls of the AWS API, which need boto3 and AWS credentials.

Commands and admin pages for operators use this module, signing out everywhere if there are
credentials, and signing in only if the client secret is in Secrets Manager. boto3 finds
credentials, region and endpoint as usual. A local pool accepts any credentials.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from ..cognito.safe_urls import is_loopback
from . import aws_messages


class AwsError(Exception):
    """A failed call of the AWS API. The text says what happened and what to do next.

    `code` is AWS's error code, or "" if AWS did not respond.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
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

    If `issuer` is that of a pool on this machine, that pool is called. `seconds` is the timeout for
    connecting and for reading, and prevents a second try. Raises AwsError.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
    except ModuleNotFoundError as error:
        raise AwsError(aws_messages.NO_BOTO3) from error
    local_options = _is_local(issuer)
    timeouts = Config(
        connect_timeout=seconds or 3,
        read_timeout=seconds or 10,
        retries={"total_max_attempts": 1 if seconds else 2},
    )
    try:
        # boto3 reads only AWS_DEFAULT_REGION. Other tools of AWS read AWS_REGION, too.
        region = region or os.environ.get("AWS_REGION", "")
        session = boto3.Session(region_name=region or None)
        region = session.region_name or ""
        client = session.client(service, config=timeouts, **local_options)
        if not hasattr(client, operation):
            raise AwsError(aws_messages.OLD_BOTO3)
        return cast(Mapping[str, Any], getattr(client, operation)(**parameters))
    except ClientError as error:
        refusal = error.response.get("Error", {})
        action = f"{service}:{operation.title().replace('_', '')}"
        message = aws_messages.for_client_error(refusal, action=action, region=region)
        raise AwsError(message, code=refusal.get("Code", "")) from error
    except (BotoCoreError, ResponseParserError, ValueError) as error:
        local_url = str(local_options.get("endpoint_url", ""))
        message = aws_messages.for_failure(error, region=region, local_url=local_url)
        raise AwsError(message) from error


def secret_string(arn: str, *, issuer: str = "", seconds: float | None = None) -> str:
    """Return the text of a secret in Secrets Manager. Raises AwsError; parameters as in `call`."""
    region = arn.split(":")[3] if arn.startswith("arn:") and arn.count(":") > 3 else ""
    response = call(
        "secretsmanager",
        "get_secret_value",
        region=region,
        issuer=issuer,
        seconds=seconds,
        SecretId=arn,
    )
    if not isinstance(response.get("SecretString"), str):
        raise AwsError("The response has no SecretString. Store the secret as text.")
    return str(response["SecretString"])


def _is_local(issuer: str) -> dict[str, str]:
    """Return the client options for a local pool (any credentials), or {} for a pool at AWS."""
    if not issuer or not is_loopback(issuer):
        return {}
    parts = urlsplit(issuer)
    return {
        "endpoint_url": f"{parts.scheme}://{parts.netloc}",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
