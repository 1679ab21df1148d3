"""What can be wrong with the app client's settings that only its description shows."""

from __future__ import annotations

from collections.abc import Mapping

from ..cognito.config import CognitoConfig
from .finding import Finding, at_the_client, member

_INFORMATION = "App client information > Edit"


def access_token_lives_too_long(config: CognitoConfig, seconds: int, expected: int) -> Finding:
    return Finding(
        id="access-token-too-long",
        what=f"Access tokens of app client {config.client_id} live {seconds} s, but"
        f" COGNITO_LONGEST_ACCESS_TOKEN is {expected}.",
        why="This site remembers a sign-out for that long: afterwards the token of somebody who"
        " signed out everywhere would work again.",
        fix=(
            f"Environment or .env: COGNITO_LONGEST_ACCESS_TOKEN={seconds}, or:",
            *at_the_client(
                config,
                f"{_INFORMATION}: Access token expiration",
                template="parameter AccessTokenMinutes",
                local=f"POOL_ACCESS_TOKEN_SECONDS={expected}",
                change=_lifetime("AccessToken", expected),
            ),
        ),
    )


def refresh_token_shorter_than_session(
    config: CognitoConfig, seconds: int, expected: int
) -> Finding:
    return Finding(
        id="refresh-token-too-short",
        what=f"Refresh tokens of app client {config.client_id} live {seconds} s, but"
        f" SESSION_ABSOLUTE_SECONDS is {expected}.",
        why="People are signed out earlier than this site tells them.",
        fix=(
            f"Environment or .env: SESSION_ABSOLUTE_SECONDS={seconds}, or:",
            *at_the_client(
                config,
                f"{_INFORMATION}: Refresh token expiration",
                template="parameter RefreshTokenDays",
                local=f"POOL_REFRESH_TOKEN_SECONDS={expected}",
                change=_lifetime("RefreshToken", expected),
            ),
        ),
    )


def revocation_off(config: CognitoConfig) -> Finding:
    return Finding(
        id="revocation-off",
        what=f"Token revocation is off at app client {config.client_id}.",
        why="Signing out can't end the refresh token, and tokens lack the origin_jti by which this"
        " site ends one sign-in.",
        fix=at_the_client(
            config,
            f"{_INFORMATION}: Advanced authentication settings: Enable token revocation",
            template="EnableTokenRevocation: true",
            local="it is always on there; paste a fresh description",
            change=member("EnableTokenRevocation", "=", True),
        ),
    )


def rotation_without_grace(config: CognitoConfig, grace: int, expected: int) -> Finding:
    return Finding(
        id="rotation-without-grace",
        what=f"Refresh tokens of app client {config.client_id} rotate with {grace} s of grace.",
        why="When an answer of Cognito is lost, the old refresh token is dead and the new one"
        " unknown: that person is signed out.",
        fix=at_the_client(
            config,
            f"{_INFORMATION}: Refresh token rotation: grace period, {expected} s or more",
            template="parameter RotationGraceSeconds=60",
            local="POOL_REFRESH_GRACE_SECONDS=60",
            change=member("RefreshTokenRotation.RetryGracePeriodSeconds", "=", 60),
        ),
    )


def user_existence_shown(config: CognitoConfig) -> Finding:
    return Finding(
        id="user-existence-shown",
        what=f"App client {config.client_id} tells strangers whether a username exists"
        " (PreventUserExistenceErrors is LEGACY).",
        why="Anybody can find out who has an account, one name at a time.",
        fix=at_the_client(
            config,
            f"{_INFORMATION}: Advanced authentication settings: Prevent user existence errors",
            template="PreventUserExistenceErrors: ENABLED",
            local="POOL_PREVENT_USER_EXISTENCE_ERRORS=1",
            change=member("PreventUserExistenceErrors", "=", "ENABLED"),
        ),
    )


def implicit_flow_on(config: CognitoConfig) -> Finding:
    return Finding(
        id="implicit-flow-on",
        what=f"App client {config.client_id} allows the implicit flow.",
        why="It puts tokens into addresses, which browsers keep and pass on (RFC 9700 section"
        " 2.1.2). This site never uses it.",
        fix=at_the_client(
            config,
            "Login pages > Edit: OAuth grant types: remove Implicit grant",
            template="AllowedOAuthFlows: [code]",
            local='flows = ["code"] of the client in local_pool/pool.toml',
            change=member("AllowedOAuthFlows", "-=", ["implicit"]),
        ),
    )


def no_identity_provider(config: CognitoConfig) -> Finding:
    return Finding(
        id="no-identity-provider",
        what=f"App client {config.client_id} has no identity provider, not even the pool itself.",
        why="The hosted UI has nothing to sign in with.",
        fix=at_the_client(
            config,
            "Login pages > Edit: Identity providers: Cognito user pool",
            template="SupportedIdentityProviders: [COGNITO]",
            local="paste a fresh description",
            change=member("SupportedIdentityProviders", "+=", ["COGNITO"]),
        ),
    )


def email_not_readable(config: CognitoConfig, missing: list[str]) -> Finding:
    return Finding(
        id="email-not-readable",
        what=f"App client {config.client_id} may not read {' and '.join(missing)}, but"
        " COGNITO_SCOPES asks for email.",
        why="Cognito then refuses to redeem codes, with invalid_grant.",
        fix=at_the_client(
            config,
            "Attribute permissions > Edit: read access to email and email_verified",
            template="ReadAttributes with both, or without the property",
            local="paste a fresh description",
            change=member("ReadAttributes", "+=", missing),
        ),
    )


def local_addresses_registered(config: CognitoConfig, lists: Mapping[str, list[str]]) -> Finding:
    """`lists` names the registered addresses by their list, `CallbackURLs` or `LogoutURLs`."""
    named = ", ".join(address for addresses in lists.values() for address in addresses)
    return Finding(
        id="local-addresses-registered",
        what=f"App client {config.client_id} sends people to {named}.",
        why="Any program on a person's own machine could take part in signing in to the live site.",
        fix=(
            "Use an app client of its own for development, and take these out of the live one.",
            *at_the_client(
                config,
                "Login pages > Edit: Allowed callback URLs and sign-out URLs",
                template="parameters CallbackUrls and SignOutUrls",
                local="POOL_CALLBACK_URLS",
                change=" | ".join(member(name, "-=", each) for name, each in lists.items()),
            ),
        ),
    )


def _lifetime(kind: str, seconds: int) -> str:
    unit = member(f"TokenValidityUnits.{kind}", "=", "seconds")
    return f"{member(f'{kind}Validity', '=', seconds)} | {unit}"
