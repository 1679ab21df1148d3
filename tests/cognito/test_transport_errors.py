"""Every error of the libraries is translated; a new one fails here until it has a translation."""

import ssl

import pytest
import requests
import urllib3.exceptions

from accounts.cognito.errors import CognitoUnavailable, ConfigurationError
from accounts.cognito.transport_errors import may_have_arrived, to_cognito_error

UNREACHABLE = "Cognito cannot be reached"
LATE = "Cognito did not respond in time"
UNTRUSTED = "Cognito sent a certificate that cannot be trusted"
BROKEN = "Cognito interrupted its response"
OURS = "COGNITO_CLIENT_DOMAIN"

MEANINGS = {
    "requests.exceptions": {
        "RequestException": UNREACHABLE,
        "InvalidJSONError": UNREACHABLE,
        "JSONDecodeError": UNREACHABLE,
        "HTTPError": UNREACHABLE,
        "ConnectionError": UNREACHABLE,
        "ProxyError": UNREACHABLE,
        "SSLError": UNTRUSTED,
        "Timeout": LATE,
        "ConnectTimeout": LATE,
        "ReadTimeout": LATE,
        "URLRequired": OURS,
        "TooManyRedirects": UNREACHABLE,
        "MissingSchema": OURS,
        "InvalidSchema": OURS,
        "InvalidURL": OURS,
        "InvalidHeader": OURS,
        "InvalidProxyURL": OURS,
        "ChunkedEncodingError": BROKEN,
        "ContentDecodingError": BROKEN,
        "StreamConsumedError": UNREACHABLE,
        "RetryError": UNREACHABLE,
        "UnrewindableBodyError": UNREACHABLE,
    },
    "urllib3.exceptions": {
        "HTTPError": UNREACHABLE,
        "PoolError": UNREACHABLE,
        "RequestError": UNREACHABLE,
        "MaxRetryError": UNREACHABLE,
        "HostChangedError": UNREACHABLE,
        "EmptyPoolError": UNREACHABLE,
        "FullPoolError": UNREACHABLE,
        "ClosedPoolError": UNREACHABLE,
        "ReadTimeoutError": LATE,
        "ConnectTimeoutError": LATE,
        "TimeoutError": LATE,
        "TimeoutStateError": UNREACHABLE,
        "NewConnectionError": UNREACHABLE,
        "NameResolutionError": UNREACHABLE,
        "SSLError": UNTRUSTED,
        "ProxyError": UNREACHABLE,
        "DecodeError": BROKEN,
        "ProtocolError": BROKEN,
        "ResponseNotChunked": BROKEN,
        "IncompleteRead": BROKEN,
        "InvalidChunkLength": BROKEN,
        "ResponseError": UNREACHABLE,
        "BodyNotHttplibCompatible": UNREACHABLE,
        "HeaderParsingError": UNREACHABLE,
        "InvalidHeader": UNREACHABLE,
        "UnrewindableBodyError": UNREACHABLE,
        "LocationValueError": OURS,
        "LocationParseError": OURS,
        "URLSchemeUnknown": OURS,
        "ProxySchemeUnknown": OURS,
    },
}
LIBRARIES = {
    "requests.exceptions": (requests.exceptions, requests.RequestException),
    "urllib3.exceptions": (urllib3.exceptions, urllib3.exceptions.HTTPError),
}


def made(kind):
    """Return an error of this class, with any constructor."""
    return kind.__new__(kind)


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_error_of_the_library_has_a_meaning(library):
    module, base = LIBRARIES[library]
    defined = {
        kind.__name__
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, base) and kind.__module__ == library
    }
    assert defined == set(MEANINGS[library])


@pytest.mark.parametrize(
    ("library", "name"), [(library, name) for library, names in MEANINGS.items() for name in names]
)
def test_error_is_translated(library, name):
    error = to_cognito_error(made(getattr(LIBRARIES[library][0], name)))
    meaning = MEANINGS[library][name]
    if meaning == OURS:
        assert isinstance(error, ConfigurationError)
        assert list(error.problems) == [OURS]
        assert name in error.message
    else:
        assert isinstance(error, CognitoUnavailable)
        assert error.message == meaning


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (ConnectionResetError(), UNREACHABLE),
        (OSError(), UNREACHABLE),
        (TimeoutError(), LATE),
        (ssl.SSLError(), UNTRUSTED),
    ],
)
def test_operating_systems_errors_are_translated(error, meaning):
    assert to_cognito_error(error).message == meaning


def _wrapped(reason):
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", reason))


def test_request_certainly_never_left_only_without_a_connection():
    no_connection = urllib3.exceptions.NewConnectionError(None, "refused")
    assert not may_have_arrived(_wrapped(no_connection))
    assert not may_have_arrived(
        requests.ConnectTimeout(
            urllib3.exceptions.MaxRetryError(
                None, "/", urllib3.exceptions.ConnectTimeoutError(None, "slow")
            )
        )
    )
    assert may_have_arrived(_wrapped(urllib3.exceptions.ProxyError("proxy", no_connection)))
    assert may_have_arrived(requests.ConnectionError(urllib3.exceptions.ProtocolError("reset")))
    assert may_have_arrived(requests.ReadTimeout())
