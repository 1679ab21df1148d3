"""The pool's errors, one class for each kind of response.

PoolError
  ConfigError    pool.toml or the environment is wrong     -> the command prints it and stops
  PageError      the client or redirect_uri is not valid   -> the pool's error page, status 400
  CallbackError  any other error in an authorize request   -> the app's callback
  TokenError     token, revocation and userInfo endpoints  -> JSON with a bare error code
  UserError      invalid form input or API parameters      -> a message on the form, or __type
"""

INVALID = "InvalidParameterException"


class PoolError(Exception):
    """An error of the pool.

    ``error`` and ``description`` are sent to the client; the console shows ``cause`` and ``fix``.
    The ``error`` of a UserError is the name of an exception of the cognito-idp API.
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
    """A missing or malformed setting; the message names it."""


class PageError(PoolError):
    """An error shown at ``/error``; ``error`` is its query parameter."""


class CallbackError(PoolError):
    """An error sent to ``redirect_uri`` as ``parameters``, in this order, in query or fragment."""

    def __init__(
        self, redirect_uri: str, parameters: dict[str, str], fragment: bool, **why: str
    ) -> None:
        super().__init__(parameters["error"], **why)
        self.redirect_uri = redirect_uri
        self.parameters = parameters
        self.fragment = fragment


class TokenError(PoolError):
    """A JSON error. Cognito uses status 400 even where RFC 6749, section 5.2, requires 401."""

    status = 400


class UserError(PoolError):
    """An exception of https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference."""
