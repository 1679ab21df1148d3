"""The outcome of a call to the token endpoint, encrypted, as processes share it."""

from __future__ import annotations

import time
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any

from ..cognito.errors import (
    ClientRejected,
    CognitoError,
    CognitoUnavailable,
    ConfigurationError,
    ExchangeRejected,
    GrantRejected,
    RequestRejected,
    TokenEndpointError,
)
from ..cognito.secret_text import SecretText
from ..cognito.token_endpoint import TokenSet
from ..core.encryption import DecryptionError
from ..provider import provider

_TOKENS, _DEAD, _FAILURE, _CODE, _RETRY_AT = "tokens", "dead", "failure", "code", "retry_at"
_TOKEN_NAMES = tuple(member.name for member in fields(TokenSet))
# A failure of our settings is raised again as such. The others are CognitoUnavailable.
_OUR_FAULTS = {
    ClientRejected.code: ClientRejected,
    RequestRejected.code: RequestRejected,
    ExchangeRejected.code: ExchangeRejected,
    ConfigurationError.code: TokenEndpointError,
}


def seal_success(tokens: TokenSet) -> str:
    """Return the tokens, encrypted."""
    return provider().cipher.seal({_TOKENS: asdict(tokens)})


def seal_refusal(error: GrantRejected) -> str:
    """Return the refusal of a refresh or subject token, encrypted."""
    return provider().cipher.seal({_DEAD: error.message})


def seal_failure(error: CognitoError, lasts: timedelta) -> str:
    """Return any other failure, encrypted. The next call to Cognito is due after `lasts`."""
    retry_at = time.time() + lasts.total_seconds()
    return provider().cipher.seal({_FAILURE: error.message, _CODE: error.code, _RETRY_AT: retry_at})


def open_outcome(sealed_outcome: str) -> TokenSet:
    """Return the tokens, or raise the error. The error has `data["shared"]`.

    Raises:
        GrantRejected, ClientRejected, RequestRejected, CognitoUnavailable: as the call did.
        TokenEndpointError: another setting is wrong.
        DecryptionError: it is of a process with other keys, or of another release.
    """
    outcome = provider().cipher.open(sealed_outcome)
    if _DEAD in outcome:
        raise GrantRejected(outcome[_DEAD], error="invalid_grant")
    if _FAILURE in outcome:
        if kind := _OUR_FAULTS.get(outcome.get(_CODE, "")):
            raise kind(outcome[_FAILURE], shared=True)
        retry_after = max(outcome[_RETRY_AT] - time.time(), 1.0)
        raise CognitoUnavailable(outcome[_FAILURE], retry_after=retry_after, shared=True)
    try:
        tokens = outcome[_TOKENS]
        return TokenSet(**{name: _secret(tokens[name]) for name in _TOKEN_NAMES})
    except (KeyError, TypeError) as error:
        raise DecryptionError("is of another release") from error


def _secret(value: Any) -> Any:
    return SecretText(value) if isinstance(value, str) else value
