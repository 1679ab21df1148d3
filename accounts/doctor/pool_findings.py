"""What can be wrong with the pool itself and with the hosted UI's domain."""

from __future__ import annotations

from ..cognito.config import CognitoConfig
from ..cognito.safe_urls import is_loopback
from .finding import TEMPLATE, Finding, in_environment


def issuer_unreachable(config: CognitoConfig, address: str, reason: str) -> Finding:
    fix = (
        ("Local pool: start it with `make run`; COGNITO_ISSUER names its port.",)
        if is_loopback(address)
        else (
            *in_environment("COGNITO_POOL_ID (its part before _ is the region)"),
            f"Network: this machine must reach {address.split('/')[2]} on port 443.",
        )
    )
    return Finding(
        id="issuer-unreachable",
        what=f"The pool's discovery document at {address} can't be had: {reason}.",
        why="Signing keys come from the same host; without them no token can be verified.",
        fix=fix,
    )


def pool_unknown(config: CognitoConfig, address: str, status: int) -> Finding:
    return Finding(
        id="pool-unknown",
        what=f"There is no user pool {config.pool_id} (COGNITO_POOL_ID): {address} answered"
        f" {status}.",
        why="Nobody can sign in, and no token can be verified.",
        fix=(
            "Console: Cognito > User pools shows each pool's id; mind the region at the top right.",
            "Command line: `manage.py cognito_env --stack NAME` writes the values of your stack.",
            *in_environment("COGNITO_POOL_ID"),
        ),
    )


def issuer_of_another_pool(config: CognitoConfig) -> Finding:
    return Finding(
        id="issuer-of-another-pool",
        what=f"COGNITO_ISSUER is {config.issuer}, which isn't the pool {config.pool_id}"
        " (COGNITO_POOL_ID).",
        why="Every token of that pool would be refused as another one's.",
        fix=(
            "Environment or .env: remove COGNITO_ISSUER: it is derived from COGNITO_POOL_ID.",
            "For a custom endpoint: its last part is the pool's id.",
        ),
    )


def issuer_differs(config: CognitoConfig, published: str) -> Finding:
    return Finding(
        id="issuer-differs",
        what=f"This site expects tokens of the issuer {config.issuer}, but the pool calls itself"
        f" {published}.",
        why="Every token would be refused as another pool's: they are compared letter by letter.",
        fix=(f"Environment or .env: COGNITO_ISSUER={published}, or remove it to have it derived.",),
    )


def keys_unreachable(config: CognitoConfig, reason: str) -> Finding:
    return Finding(
        id="keys-unreachable",
        what=f"The signing keys at {config.jwks_url} can't be had: {reason}.",
        why="Without them no token can be verified, so nobody can sign in.",
        fix=(
            "Environment or .env: remove COGNITO_JWKS_URL unless the pool has a custom endpoint.",
            "Network: this machine must reach that address.",
        ),
    )


def keys_unusable(config: CognitoConfig, reason: str) -> Finding:
    return Finding(
        id="keys-unusable",
        what=f"The document at {config.jwks_url} can't be used: {reason}.",
        why="Without a key no token can be verified, so nobody can sign in.",
        fix=(
            "Environment or .env: remove COGNITO_JWKS_URL unless the pool has a custom endpoint.",
            f"See with your own eyes: `curl {config.jwks_url}` must show a list of RSA keys.",
        ),
    )


def keys_of_another_pool(config: CognitoConfig, published: str) -> Finding:
    return Finding(
        id="keys-of-another-pool",
        what=f"COGNITO_JWKS_URL is {config.jwks_url}, but this pool's keys are at {published}, and"
        " the two have no key in common.",
        why="Every token would be refused as signed with an unknown key.",
        fix=(f"Environment or .env: COGNITO_JWKS_URL={published}, or remove it.",),
    )


def clock_skew(seconds: int, address: str) -> Finding:
    ahead = "behind" if seconds > 0 else "ahead of"
    return Finding(
        id="clock-skew",
        what=f"This machine's clock is {abs(seconds)} s {ahead} that of {address.split('/')[2]}.",
        why="Tokens seem to come from the future (refused beyond 60 s) or to live too long.",
        fix=(
            "This machine: switch on time synchronisation (`timedatectl set-ntp true`, chrony).",
            "Local pool: `python -m local_pool do` can set its clock; its console sets it back.",
        ),
    )


def domain_unreachable(config: CognitoConfig, reason: str, published: str | None) -> Finding:
    if published is None:
        said = ""
    elif not published:
        said = f" The pool {config.pool_id} names no domain: it has none yet."
    else:
        said = f" The pool's discovery document names {published}."
    return Finding(
        id="domain-unreachable",
        what=f"The hosted UI at {config.domain} (COGNITO_CLIENT_DOMAIN) doesn't answer: {reason}."
        f"{said}",
        why="People can't get to the sign-in page, and codes can't be redeemed.",
        fix=_domain_fix(config),
    )


def domain_not_hosted_ui(config: CognitoConfig, address: str) -> Finding:
    return Finding(
        id="domain-not-hosted-ui",
        what=f"Something answers at {address}, but not as Cognito's hosted UI does.",
        why="People would be sent to a page that can't sign them in.",
        fix=_domain_fix(config),
    )


def domain_of_another_pool(config: CognitoConfig, published: str) -> Finding:
    return Finding(
        id="domain-of-another-pool",
        what=f"COGNITO_CLIENT_DOMAIN is {config.domain}, which doesn't know app client"
        f" {config.client_id}; the pool {config.pool_id} has its hosted UI at {published}.",
        why="People would arrive at an error page of another pool.",
        fix=(f"Environment or .env: COGNITO_CLIENT_DOMAIN={published}",),
    )


def login_pages_unavailable(config: CognitoConfig, status: int) -> Finding:
    return Finding(
        id="login-pages-unavailable",
        what=f"The sign-in page of app client {config.client_id} at {config.domain} is unavailable"
        f" (status {status}).",
        why="Managed login shows pages only for app clients that have a branding style.",
        fix=(
            (
                f"Console: Cognito > User pools > {config.pool_id} > Managed login > Create a"
                " style, and assign it to the app client."
            ),
            f"Template: parameter ManagedLogin=true in {TEMPLATE} makes domain version and style.",
            (
                "Command line: `aws cognito-idp create-managed-login-branding --user-pool-id"
                f" {config.pool_id} --client-id {config.client_id} --use-cognito-provided-values`"
            ),
        ),
    )


def _domain_fix(config: CognitoConfig) -> tuple[str, ...]:
    if is_loopback(config.domain):
        return ("Local pool: start it with `make run`; COGNITO_CLIENT_DOMAIN names its port.",)
    return (
        f"Console: Cognito > User pools > {config.pool_id} > Domain shows it, or makes one.",
        f"Template: parameter DomainPrefix in {TEMPLATE}; a new prefix works after a minute.",
        *in_environment("COGNITO_CLIENT_DOMAIN"),
    )
