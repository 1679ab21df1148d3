"""The findings about session tracking and about the sessions of the hosted UI."""

from __future__ import annotations

from ..cognito.config import CognitoConfig
from ..cognito.safe_urls import is_loopback
from .finding import TEMPLATE, Finding, in_environment


def tracking_off(config: CognitoConfig, expected: int) -> Finding:
    return Finding(
        id="session-tracking-off",
        what=f"COGNITO_SESSIONS_PER_USER is {expected}, but the pool {config.pool_id} does not"
        " track sessions.",
        why="Signing out does not end the sessions of the hosted UI in other browsers, and a"
        " message may name a limit of sessions that does not exist.",
        fix=(
            *in_environment("COGNITO_SESSIONS_PER_USER (remove it), or:"),
            *_at_pool(
                config,
                template=f"parameter MaxSessionsPerUser={expected}",
                local=f"sessions on {expected}",
                command="set-user-pool-session-configuration --user-session-tracking ENABLED"
                f" --token-session MaxPerUser={expected}",
            ),
        ),
    )


def limit_differs(ours: int, theirs: int) -> Finding:
    why = "The message to a user whose session ended may name a wrong limit, or none."
    if not ours:
        why = (
            "Signing out everywhere leaves the sessions of the hosted UI in other browsers,"
            " although this site could end them. If the limit ends a session, its user is not told"
            " the reason."
        )
    return Finding(
        id="session-limit-differs",
        what=f"The pool tracks sessions, {theirs} per user at most, but"
        f" COGNITO_SESSIONS_PER_USER is {ours}.",
        why=why,
        fix=(
            f"Environment or .env: set COGNITO_SESSIONS_PER_USER={theirs}, then restart the site.",
        ),
    )


def hosted_ui_session_too_long(config: CognitoConfig, minutes: int, expected: int) -> Finding:
    longest = expected // 60
    return Finding(
        id="hosted-ui-session-too-long",
        what=f"For app client {config.client_id}, the hosted UI requires no password for"
        f" {minutes} minutes after the last one, but SESSION_ABSOLUTE_SECONDS is {expected}.",
        why="A session of this site that ends because of its age starts again without a password.",
        fix=(
            f"Environment or .env: set SESSION_ABSOLUTE_SECONDS={minutes * 60}, or:",
            *_at_pool(
                config,
                template=f"parameter HostedUiSessionMinutes={longest}",
                local=f"sso {config.client_id} {longest}m",
                command=f"set-user-pool-client-session-configuration --client-id {config.client_id}"
                f" --sso-session MaxValidityMinutes={longest}",
            ),
        ),
    )


def _at_pool(config: CognitoConfig, *, template: str, local: str, command: str) -> tuple[str, ...]:
    """Return the ways to change a setting that has operations of its own."""
    if is_loopback(config.domain):
        return (f"Local pool: `python -m local_pool do {local}`.",)
    operation, _, options = command.partition(" ")
    return (
        f"Template: {template} in {TEMPLATE}, then `aws cloudformation deploy`.",
        (
            f"Command line: `aws cognito-idp --region {config.region} {operation} --user-pool-id"
            f" {config.pool_id} {options}`"
        ),
    )
