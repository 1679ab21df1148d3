"""Translate errors of requests, urllib3 and the operating system to those of this package."""

from __future__ import annotations

import ssl

import requests
import urllib3.exceptions

from .errors import CognitoError, CognitoUnavailable, ConfigurationError


def to_cognito_error(error: Exception) -> CognitoError:
    """Return the CognitoError for an error of requests, urllib3 or the operating system."""
    if isinstance(error, _CONFIGURATION_ERRORS):
        problem = f"or a proxy setting cannot be used ({type(error).__name__})"
        return ConfigurationError({"COGNITO_CLIENT_DOMAIN": problem})
    for kinds, message in _MESSAGES:
        if isinstance(error, kinds):
            return CognitoUnavailable(f"Cognito {message}")
    return CognitoUnavailable("Cognito cannot be reached")


_CONFIGURATION_ERRORS = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
    urllib3.exceptions.LocationValueError,
)
_MESSAGES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    # Checked first: it is also a subclass of the timeout errors.
    ((urllib3.exceptions.NewConnectionError,), "cannot be reached"),
    (
        (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError),
        "did not respond in time",
    ),
    (
        (requests.exceptions.SSLError, urllib3.exceptions.SSLError, ssl.SSLError),
        "sent a certificate that cannot be trusted",
    ),
    (
        (
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
            urllib3.exceptions.DecodeError,
            urllib3.exceptions.IncompleteRead,
            urllib3.exceptions.InvalidChunkLength,
            urllib3.exceptions.ProtocolError,
        ),
        "interrupted its response",
    ),
)


def may_have_arrived(error: Exception) -> bool:
    """Return False only if the request certainly did not reach the server before ``error``."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return not isinstance(
        reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    )


def without_frames(error: BaseException) -> BaseException:
    """Return ``error`` without the frames of the HTTP library, in which it was raised.

    An error report would show their local variables: the form and the headers of the request.
    """
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if current is not None and id(current) not in seen:
            seen.add(id(current))
            current.__traceback__ = None
            pending += [current.__cause__, current.__context__]
    return error
