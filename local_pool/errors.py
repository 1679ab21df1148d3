"""The ways in which the pool says no, one class for each way of telling it.

PoolError
  ConfigError      pool.toml or the environment is wrong -> the command prints it and stops
  PageRefused      the address to answer to is unproven  -> the pool's own error page, status 400
  CallbackRefused  the app asked for the impossible      -> back to its callback, with an error
  TokenRefused     a machine endpoint says no            -> JSON with a bare error code
  PersonRefused    what a person typed, or an API named  -> a sentence on the form, or __type
"""


class PoolError(Exception):
    """``error`` and ``description`` go over the wire; ``cause`` and ``fix`` to the console alone.

    A PersonRefused has the name of an exception of the cognito-idp API, and Cognito's sentence.
    """

    def __init__(
        self, error: str, description: str = "", *, cause: str = "", fix: str = ""
    ) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description
        self.message = description or error
        self.cause = cause or self.message
        self.fix = fix

    def __str__(self) -> str:
        return self.message


class ConfigError(PoolError):
    """A setting is missing or malformed; the message names it."""


class PageRefused(PoolError):
    """Shown at ``/error``; ``error`` is its query parameter."""


class CallbackRefused(PoolError):
    """Sent to ``redirect_uri`` as ``parameters``, in this order, in query or fragment."""

    def __init__(
        self, redirect_uri: str, parameters: dict[str, str], fragment: bool, **why: str
    ) -> None:
        super().__init__(parameters["error"], **why)
        self.redirect_uri = redirect_uri
        self.parameters = parameters
        self.fragment = fragment


class TokenRefused(PoolError):
    """Cognito answers 400 where RFC 6749 (section 5.2) would have 401."""

    status = 400


class PersonRefused(PoolError):
    """Names as in https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference."""
