"""COGNITO["LIMITS"]: time limits, and numbers of calls and sessions. Plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cognito.errors import ConfigurationError


@dataclass(frozen=True)
class Limits:
    """Time limits in seconds, and two numbers.

    `renewal_grace`: a session continues this long after its access token expired, while the renewal
    fails. `session_idle`: a sign-in ends if it is unused for this long. `session_absolute`: a
    sign-in ends after this time. `access_token`: the maximum lifetime of the pool's access tokens
    (Cognito allows a day). `events`: audit events are stored this long. `calls_at_once`: the
    maximum number of threads of a process that wait for Cognito. `sessions_per_user`: the limit of
    the pool if it tracks sessions (`MaxPerUser`), 0 if it does not. `rotation_grace`: a tab of a
    single-page app continues with a refresh token that was replaced this long ago at most.
    """

    renewal_grace: int = 900
    session_idle: int = 43_200
    session_absolute: int = 1_209_600
    access_token: int = 86_400
    events: int = 31_536_000
    calls_at_once: int = 8
    sessions_per_user: int = 0
    rotation_grace: int = 86_400


# The minimum of each limit, and the environment variable that this project reads it from.
_MINIMUMS = {
    "renewal_grace": (0, "COGNITO_RENEWAL_GRACE"),
    "session_idle": (1, "SESSION_IDLE_SECONDS"),
    "session_absolute": (1, "SESSION_ABSOLUTE_SECONDS"),
    "access_token": (300, "COGNITO_LONGEST_ACCESS_TOKEN"),
    "events": (1, "SIGN_IN_EVENTS_SECONDS"),
    "calls_at_once": (1, ""),
    "sessions_per_user": (0, "COGNITO_SESSIONS_PER_USER"),
    "rotation_grace": (0, "COGNITO_ROTATION_GRACE"),
}
LIMITS_BY_VARIABLE = {variable: name for name, (_, variable) in _MINIMUMS.items() if variable}


def parse_limits(value: Mapping[str, Any]) -> Limits:
    """Return the limits. Raises ConfigurationError that names every wrong member."""
    problems = {}
    for name, number in value.items():
        member = f'COGNITO["LIMITS"]["{name}"]'
        if name not in _MINIMUMS:
            problems[member] = f"is not a limit; the limits are {', '.join(_MINIMUMS)}"
            continue
        minimum, variable = _MINIMUMS[name]
        if type(number) is not int or number < minimum:
            problems[variable or member] = f"must be a whole number, {minimum} or more"
    if problems:
        raise ConfigurationError(problems)
    return Limits(**value)
