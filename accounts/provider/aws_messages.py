"""What to tell a person when AWS refuses or can't be asked: what happened and the next step.

botocore's exceptions are told apart by their names, so that nothing here needs botocore. AWS's
codes: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html
and the errors of each operation.
"""

from __future__ import annotations

from collections.abc import Mapping

NO_BOTO3 = "This needs boto3, which is not installed here. Install it: `pip install boto3`."
_REGIONS = "https://docs.aws.amazon.com/general/latest/gr/cognito_identity.html"

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_INVALID = {"InvalidParameterException", "ValidationError", "ValidationException"}
_TOO_OFTEN = {"Throttling", "ThrottlingException", "TooManyRequestsException"}


def of_refusal(error: Mapping[str, str], *, action: str, region: str) -> str:
    """AWS answered with an error; `action` is what was asked, as policies name it."""
    code, message = error.get("Code", ""), _one_line(error.get("Message", ""))
    where = f" in {region}" if region else ""
    if code in _DENIED:
        return f"AWS refused: {message}. Use credentials that allow {action}."
    if code in _CREDENTIALS:
        return (
            f"AWS{where} doesn't accept these credentials ({code}). Renew them (`aws sso login`, or"
            " a new access key) until `aws sts get-caller-identity` works; the account must have"
            " the region enabled."
        )
    if code.endswith("NotFoundException") or (code in _INVALID and "not exist" in message):
        return f"AWS found nothing{where}: {message}. Check the name, the region and the account."
    if code in _INVALID:
        return f"AWS refused what was given: {message}. Correct it, and try again."
    if code in _TOO_OFTEN:
        return f"AWS is being asked too often ({code}). Try again in a minute."
    return f"AWS refused ({code}): {message}. Its API reference explains this at {action}."


def of_failure(error: Exception, *, region: str, local: str = "") -> str:
    """AWS gave no answer that can be read; `local` is the address of a pool on this machine."""
    kinds = {each.__name__ for each in type(error).__mro__}
    if "NoCredentialsError" in kinds:
        return (
            "No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY, or run `aws sso login` first."
        )
    if kinds & {"PartialCredentialsError", "ProfileNotFound", "CredentialRetrievalError"}:
        return (
            f"The AWS credentials are incomplete: {_one_line(error)}. Set AWS_PROFILE to one of"
            " `aws configure list-profiles`, or both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if kinds & {"SSOError", "TokenRetrievalError", "NoAuthTokenError", "LoginError"}:
        return f"The sign-in at AWS is over: {_one_line(error)}. Sign in again: `aws sso login`."
    if "NoRegionError" in kinds:
        return "No AWS region was given. Add --region, or set AWS_REGION, for example eu-west-1."
    if "InvalidRegionError" in kinds:
        return (
            f"{region!r} is no name of an AWS region; they look like eu-west-1. Correct the pool"
            f" id, --region or AWS_REGION ({_REGIONS} lists them)."
        )
    if kinds & {"ConnectionError", "HTTPClientError", "ResponseParserError"}:
        if local:
            return f"The local pool at {local} doesn't answer. Start it: `make run`."
        return (
            f"AWS can't be reached in the region {region!r} ({type(error).__name__}). Check the"
            f" region's name ({_REGIONS} lists them), the network and its proxy."
        )
    return (
        f"AWS could not be asked ({type(error).__name__}): {_one_line(error)}. Check what was given"
        " and what `aws configure list` shows."
    )


def _one_line(said: object) -> str:
    return " ".join(str(said).split()).rstrip(".")
