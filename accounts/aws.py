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

from .cognito.addresses import is_loopback

_REGIONS = "https://docs.aws.amazon.com/general/latest/gr/cognito_identity.html"


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
    except ModuleNotFoundError as error:
        raise AwsProblem(
            "This needs boto3, which is not installed here. Install it: `pip install boto3`."
        ) from error
    options: dict[str, Any] = {}
    if issuer and is_loopback(issuer):
        parts = urlsplit(issuer)
        options = {
            "endpoint_url": f"{parts.scheme}://{parts.netloc}",
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",  # the pool on this machine checks none
        }
    timeouts = Config(
        connect_timeout=seconds or 3,
        read_timeout=seconds or 10,
        retries={"total_max_attempts": 1 if seconds else 2},
    )
    try:
        # boto3 itself looks at AWS_DEFAULT_REGION alone; other tools of AWS know this one.
        region = region or os.environ.get("AWS_REGION", "")
        session = boto3.Session(region_name=region or None)
        client = session.client(service, config=timeouts, **options)
        return cast(Mapping[str, Any], getattr(client, operation)(**parameters))
    except ClientError as error:
        refusal = error.response["Error"]
        sentence = _refusal(refusal, service, region)
        raise AwsProblem(sentence, code=refusal.get("Code", "")) from error
    except BotoCoreError as error:
        raise AwsProblem(_failure(error, region)) from error


def _refusal(error: Mapping[str, str], service: str, region: str) -> str:
    code, message = error.get("Code", ""), error.get("Message", "").rstrip(".")
    if code in ("AccessDenied", "AccessDeniedException"):
        return f"AWS refused: {message}. Use credentials that may read {service}."
    if "Token" in code or code in ("SignatureDoesNotMatch", "InvalidClientTokenId"):
        return f"AWS doesn't accept these credentials ({code}). Renew them: `aws sso login`."
    if code in ("ResourceNotFoundException", "ValidationError", "InvalidParameterException"):
        where = f" in {region}" if region else ""
        return f"AWS found nothing{where}: {message}. Check the name, the region and the account."
    return f"AWS refused ({code}): {message}."


def _failure(error: Exception, region: str) -> str:
    kind = type(error).__name__
    if kind in ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"):
        return (
            "No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY, or run `aws sso login` first."
        )
    if kind in ("NoRegionError", "InvalidRegionError"):
        return "No AWS region was given. Add --region, or set AWS_REGION, for example eu-west-1."
    if kind in ("EndpointConnectionError", "ConnectTimeoutError", "ConnectionError"):
        return (
            f"AWS can't be reached in the region {region or 'of your environment'!r}. Check the"
            f" region's name ({_REGIONS}) and the network."
        )
    return f"AWS could not be asked ({kind}): {str(error).rstrip('.')}."
