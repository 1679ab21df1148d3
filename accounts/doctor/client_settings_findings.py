"""The findings about settings that only the app client's description shows."""

from __future__ import annotations

from collections.abc import Mapping

from ..cognito.config import CognitoConfig
from ..provider.secret_source import SecretSource
from .finding import Finding, at_app_client, member

_INFORMATION = "App client information > Edit"


def secret_not_followed(config: CognitoConfig, source: SecretSource, arn: str) -> Finding:
    return Finding(
        id="secret-not-followed",
        what=f"Cognito keeps the secret of app client {config.client_id} in Secrets Manager and"
        f" changes it regularly, but this site uses {source}.",
        why="After the next changes, Cognito no longer accepts it, and no user can sign in.",
        fix=(
            f"Environment or .env: set COGNITO_CLIENT_SECRET={arn}, then restart the site.",
            f"IAM: allow the servers secretsmanager:GetSecretValue for {arn}.",
        ),
    )


def access_token_too_long(config: CognitoConfig, seconds: int, expected: int) -> Finding:
    return Finding(
        id="access-token-too-long",
        what=f"Access tokens of app client {config.client_id} are valid for {seconds} s, but"
        f" COGNITO_LONGEST_ACCESS_TOKEN is {expected}.",
        why="This site stores revocations for that time only. A token that is valid for longer"
        " would be accepted again after its user signed out everywhere.",
        fix=(
            f"Environment or .env: set COGNITO_LONGEST_ACCESS_TOKEN={seconds}, or:",
            *at_app_client(
                config,
                f"{_INFORMATION}: Access token expiration",
                template="parameter AccessTokenMinutes",
                local=f"set POOL_ACCESS_TOKEN_SECONDS={expected}",
                change=_set_lifetime("AccessToken", expected),
            ),
        ),
    )


def refresh_token_too_short(config: CognitoConfig, seconds: int, expected: int) -> Finding:
    return Finding(
        id="refresh-token-too-short",
        what=f"Refresh tokens of app client {config.client_id} are valid for {seconds} s, but"
        f" SESSION_ABSOLUTE_SECONDS is {expected}.",
        why="Users are signed out earlier than this site shows them.",
        fix=(
            f"Environment or .env: set SESSION_ABSOLUTE_SECONDS={seconds}, or:",
            *at_app_client(
                config,
                f"{_INFORMATION}: Refresh token expiration",
                template="parameter RefreshTokenDays",
                local=f"set POOL_REFRESH_TOKEN_SECONDS={expected}",
                change=_set_lifetime("RefreshToken", expected),
            ),
        ),
    )


def revocation_off(config: CognitoConfig) -> Finding:
    return Finding(
        id="revocation-off",
        what=f"Token revocation is disabled at app client {config.client_id}.",
        why="Signing out cannot revoke the refresh token. Tokens have no origin_jti, which this"
        " site requires to end one sign-in.",
        fix=at_app_client(
            config,
            f"{_INFORMATION}: Advanced authentication settings: Enable token revocation",
            template="EnableTokenRevocation: true",
            change=member("EnableTokenRevocation", "=", True),
        ),
    )


def rotation_without_grace(config: CognitoConfig, grace: int, expected: int) -> Finding:
    return Finding(
        id="rotation-without-grace",
        what=f"Refresh tokens of app client {config.client_id} rotate with a grace period of"
        f" {grace} s.",
        why="If a response of Cognito is lost, the old refresh token is no longer valid and this"
        " site does not have the new one. The user is then signed out.",
        fix=at_app_client(
            config,
            f"{_INFORMATION}: Refresh token rotation: grace period, {expected} s or more",
            template="parameter RotationGraceSeconds=60",
            local="set POOL_REFRESH_GRACE_SECONDS=60",
            change=member("RefreshTokenRotation.RetryGracePeriodSeconds", "=", 60),
        ),
    )


def user_existence_shown(config: CognitoConfig) -> Finding:
    return Finding(
        id="user-existence-shown",
        what=f"App client {config.client_id} shows whether a username exists"
        " (PreventUserExistenceErrors is LEGACY).",
        why="Anyone can find out who has an account, by trying usernames.",
        fix=at_app_client(
            config,
            f"{_INFORMATION}: Advanced authentication settings: Prevent user existence errors",
            template="PreventUserExistenceErrors: ENABLED",
            local="set POOL_PREVENT_USER_EXISTENCE_ERRORS=1",
            change=member("PreventUserExistenceErrors", "=", "ENABLED"),
        ),
    )


def implicit_flow_on(config: CognitoConfig) -> Finding:
    return Finding(
        id="implicit-flow-on",
        what=f"App client {config.client_id} allows the implicit grant.",
        why="It puts tokens into URLs, which browsers store and pass on (RFC 9700 section 2.1.2)."
        " This site does not use it.",
        fix=at_app_client(
            config,
            "Login pages > Edit: OAuth grant types: remove Implicit grant",
            template="AllowedOAuthFlows: [code]",
            local='set flows = ["code"] for the client in local_pool/pool.toml',
            change=member("AllowedOAuthFlows", "-=", ["implicit"]),
        ),
    )


def no_identity_provider(config: CognitoConfig) -> Finding:
    return Finding(
        id="no-identity-provider",
        what=f"App client {config.client_id} has no identity provider, not even the pool itself.",
        why="The hosted UI cannot sign users in.",
        fix=at_app_client(
            config,
            "Login pages > Edit: Identity providers: Cognito user pool",
            template="SupportedIdentityProviders: [COGNITO]",
            change=member("SupportedIdentityProviders", "+=", ["COGNITO"]),
        ),
    )


def email_not_readable(config: CognitoConfig, missing: list[str]) -> Finding:
    return Finding(
        id="email-not-readable",
        what=f"App client {config.client_id} cannot read {' and '.join(missing)}, but"
        " COGNITO_SCOPES contains email.",
        why="Cognito then refuses every code with invalid_grant.",
        fix=at_app_client(
            config,
            "Attribute permissions > Edit: read access to email and email_verified",
            template="ReadAttributes with both, or without the property",
            change=member("ReadAttributes", "+=", missing),
        ),
    )


def local_addresses_registered(
    config: CognitoConfig, local_urls: Mapping[str, list[str]]
) -> Finding:
    """Return the finding. `local_urls` has the lists `CallbackURLs` and `LogoutURLs` as keys."""
    urls = ", ".join(url for listed_urls in local_urls.values() for url in listed_urls)
    return Finding(
        id="local-addresses-registered",
        what=f"URLs of localhost are registered at app client {config.client_id}: {urls}.",
        why="Any program on a user's machine could receive the codes of sign-ins to the live site.",
        fix=(
            "Use a separate app client for development, and remove these URLs from the live one.",
            *at_app_client(
                config,
                "Login pages > Edit: Allowed callback URLs and sign-out URLs",
                template="parameters CallbackUrls and SignOutUrls",
                local="remove them from POOL_CALLBACK_URLS and POOL_LOGOUT_URLS",
                change=" | ".join(member(name, "-=", urls) for name, urls in local_urls.items()),
            ),
        ),
    )


def _set_lifetime(kind: str, seconds: int) -> str:
    unit = member(f"TokenValidityUnits.{kind}", "=", "seconds")
    return f"{member(f'{kind}Validity', '=', seconds)} | {unit}"
