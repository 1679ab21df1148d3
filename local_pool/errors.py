"""The ways in which the pool says no, one class for each way of telling it.

PoolError
  ConfigError      pool.toml or the environment is wrong -> the command prints it and stops
  PageRefused      the address to answer to is unproven  -> the pool's own error page
  CallbackRefused  the app asked for the impossible      -> back to its callback, with an error
  TokenRefused     a machine endpoint says no            -> JSON with a bare error code
  PersonRefused    what a person typed, or an API named  -> a sentence on the form, or __type

``cause`` and ``fix`` are for the console alone; what goes over the wire is what Cognito would send.
"""


class PoolError(Exception):
    """Base of all refusals."""

    def __init__(self, message: str, *, cause: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause or message
        self.fix = fix


class ConfigError(PoolError):
    """A setting is missing or malformed; the message names it."""


class PageRefused(PoolError):
    """Shown at ``/error`` with status 400; ``error`` is its query parameter."""

    def __init__(self, error: str, message: str = "", *, cause: str = "", fix: str = "") -> None:
        super().__init__(message, cause=cause or message or error, fix=fix)
        self.error = error


class CallbackRefused(PoolError):
    """Sent to ``redirect_uri`` as ``parameters``, in this order, in query or fragment."""

    def __init__(
        self,
        redirect_uri: str,
        parameters: dict[str, str],
        *,
        fragment: bool = False,
        cause: str = "",
        fix: str = "",
    ) -> None:
        super().__init__(parameters["error"], cause=cause, fix=fix)
        self.redirect_uri = redirect_uri
        self.parameters = parameters
        self.fragment = fragment


class TokenRefused(PoolError):
    """JSON ``{"error": …}``; Cognito answers 400 where RFC 6749 would have 401."""

    def __init__(
        self,
        error: str,
        description: str = "",
        *,
        status: int = 400,
        cause: str = "",
        fix: str = "",
    ) -> None:
        super().__init__(error, cause=cause or description or error, fix=fix)
        self.error = error
        self.description = description
        self.status = status


class PersonRefused(PoolError):
    """``type`` is the exception's name in the cognito-idp API, ``message`` Cognito's sentence."""

    def __init__(self, type_: str, message: str) -> None:
        super().__init__(message)
        self.type = type_
