"""Checks of the pool's session tracking and of the length of the hosted UI's sessions.

They are settings of the pool and of each app client
(https://docs.aws.amazon.com/cognito/latest/developerguide/managing-user-sessions.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..provider import Provider, aws
from . import session_findings as findings
from .finding import Finding

UNTRACKED_MINUTES = 60  # a pool that does not track sessions ignores the times of its app clients


@dataclass(frozen=True)
class SessionSettings:
    """Whether the pool tracks sessions, its limit for each user, and the times by app client ID.

    A time is how many minutes after a password the hosted UI signs in without another one.
    """

    is_tracking: bool
    max_per_user: int
    minutes: Mapping[str, int] = field(default_factory=dict)


def fetch(current: Provider) -> SessionSettings:
    """Return the settings from AWS or from the local pool. Raise AwsError on failure."""
    pool = _get(current, "get_user_pool_session_configuration")
    if pool["UserSessionTracking"] != "ENABLED":
        return SessionSettings(False, 0)
    client_ids = filter(None, dict.fromkeys((current.config.client_id, current.public_client_id)))
    minutes = {client_id: _minutes(current, client_id) for client_id in client_ids}
    return SessionSettings(True, pool["TokenSession"]["MaxPerUser"], minutes)


def _minutes(current: Provider, client_id: str) -> int:
    client = _get(current, "get_user_pool_client_session_configuration", ClientId=client_id)
    return int(client["SSOSession"]["MaxValidityMinutes"])


def _get(current: Provider, operation: str, **parameters: Any) -> Mapping[str, Any]:
    config = current.config
    return aws.call(
        "cognito-idp",
        operation,
        region=config.region,
        issuer=config.issuer,
        UserPoolId=config.pool_id,
        **parameters,
    )


def note(settings: SessionSettings) -> str:
    """Return what the pool does with sessions, and for how long a browser needs no password."""
    if not settings.is_tracking:
        return (
            "the pool does not track sessions; signing out everywhere does not end those of the"
            f" hosted UI in other browsers, which need no password for {UNTRACKED_MINUTES} minutes"
            " after the last one"
        )
    times = ", ".join(f"{value} minutes ({name})" for name, value in settings.minutes.items())
    return (
        f"the pool tracks sessions, {settings.max_per_user} per user at most; a browser needs no"
        f" password after the last one for {times}"
    )


def session_problems(settings: SessionSettings, current: Provider) -> Iterator[Finding]:
    """Yield the settings that differ from what this site was told or promises its users."""
    config, limits = current.config, current.limits
    if limits.sessions_per_user and not settings.is_tracking:
        yield findings.tracking_off(config, limits.sessions_per_user)
    elif settings.is_tracking and limits.sessions_per_user != settings.max_per_user:
        yield findings.limit_differs(limits.sessions_per_user, settings.max_per_user)
    minutes = settings.minutes.get(config.client_id, UNTRACKED_MINUTES)
    if settings.is_tracking and minutes * 60 > limits.session_absolute:
        yield findings.hosted_ui_session_too_long(config, minutes, limits.session_absolute)
