"""What goes wrong below the transport, in our words: all that we know of requests' errors."""

from __future__ import annotations

import ssl

import requests
import urllib3.exceptions

from .errors import CognitoError, CognitoUnavailable, ConfigurationError


def translated(error: Exception) -> CognitoError:
    """What an error of requests, urllib3 or the operating system means to us."""
    if isinstance(error, _OUR_MISTAKES):
        problem = f"or a proxy setting cannot be used ({type(error).__name__})"
        return ConfigurationError({"COGNITO_CLIENT_DOMAIN": problem})
    for kinds, meaning in _MEANINGS:
        if isinstance(error, kinds):
            return CognitoUnavailable(f"Cognito {meaning}")
    return CognitoUnavailable("Cognito cannot be reached")


_OUR_MISTAKES = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
    urllib3.exceptions.LocationValueError,
)
_MEANINGS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((urllib3.exceptions.NewConnectionError,), "cannot be reached"),  # else it were a timeout
    (
        (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError),
        "did not answer in time",
    ),
    (
        (requests.exceptions.SSLError, urllib3.exceptions.SSLError, ssl.SSLError),
        "showed a certificate that cannot be trusted",
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
        "broke off its answer",
    ),
)


def may_have_arrived(error: Exception) -> bool:
    """Whether a request can have reached the server before ``error``; yes unless certainly not."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return not isinstance(
        reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    )
