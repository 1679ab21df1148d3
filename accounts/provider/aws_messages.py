"""Messages to operators about failed calls of the AWS API: what happened, and what to do next.

botocore's exceptions are distinguished by their names, so that this module does not import it.
AWS documents its error codes for each operation, and in
https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html.
"""

from __future__ import annotations

from collections.abc import Mapping

NO_BOTO3 = "This needs boto3, which is not installed. Install it: `pip install boto3`."
OLD_BOTO3 = "This needs a newer boto3. Update it: `pip install --upgrade boto3`."
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
_THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException"}


def for_client_error(error: Mapping[str, str], *, action: str, region: str) -> str:
    """Return the message for an error response. `action` is the IAM action of the call."""
    code, message = error.get("Code", ""), _one_line(error.get("Message", ""))
    in_region = f" in {region}" if region else ""
    if code in _DENIED:
        return f"AWS denied access: {message}. Use credentials that allow {action}."
    if code in _CREDENTIALS:
        return (
            f"AWS{in_region} doesn't accept these credentials ({code}). Renew them (`aws sso"
            " login`, or a new access key) until `aws sts get-caller-identity` works. The region"
            " must be enabled in the account."
        )
    if code.endswith("NotFoundException") or (code in _INVALID and "not exist" in message):
        return f"Not found at AWS{in_region}: {message}. Check the name, region and account."
    if code in _INVALID:
        return f"AWS rejected a value: {message}. Correct it, and try again."
    if code in _THROTTLED:
        return f"AWS received too many requests ({code}). Try again in a minute."
    return f"AWS returned an error ({code}): {message}. See {action} in the API reference of AWS."


def for_failure(error: Exception, *, region: str, local_url: str = "") -> str:
    """Return the message for a call without a readable response.

    `local_url` is the URL of the pool if it runs on this machine.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
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
        return f"Your sign-in at AWS expired: {_one_line(error)}. Sign in again: `aws sso login`."
    if "NoRegionError" in kinds:
        return "No AWS region is set. Add --region, or set AWS_REGION, for example eu-west-1."
    if "InvalidRegionError" in kinds:
        return (
            f"{region!r} is not the name of an AWS region, such as eu-west-1. Correct the pool ID,"
            f" --region or AWS_REGION ({_REGIONS} lists the regions)."
        )
    if kinds & {"ConnectionError", "HTTPClientError", "ResponseParserError"}:
        if local_url:
            return f"The local pool at {local_url} doesn't respond. Start it: `make run`."
        return (
            f"AWS can't be reached in the region {region!r} ({type(error).__name__}). Check the"
            f" region's name ({_REGIONS} lists the regions), the network and its proxy."
        )
    return (
        f"The call to AWS failed ({type(error).__name__}): {_one_line(error)}. Check the options"
        " and what `aws configure list` shows."
    )


def _one_line(text: object) -> str:
    return " ".join(str(text).split()).rstrip(".")
