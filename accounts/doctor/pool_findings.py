"""The findings about the pool and the domain of its hosted UI."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..cognito.config import CognitoConfig
from ..cognito.pool import region_of_issuer
from ..cognito.safe_urls import is_loopback
from .finding import TEMPLATE, Finding, in_environment


def issuer_unreachable(config: CognitoConfig, url: str, reason: str) -> Finding:
    if is_loopback(url):
        name = "COGNITO_JWKS_URL" if config.jwks_url else "COGNITO_ISSUER"
        fix: tuple[str, ...] = (f"Local pool: start it with `make run`. {name} contains its port.",)
    else:
        fix = (
            *_emulator_fix(config),
            *in_environment("COGNITO_POOL_ID (the part before _ is the region)"),
            f"Network: this machine must reach {urlsplit(url).netloc} on port 443.",
        )
    return Finding(
        id="issuer-unreachable",
        what=f"The pool's discovery document at {url} cannot be fetched: {reason}.",
        why="The signing keys are on the same host. Without them, no token can be verified.",
        fix=fix,
    )


def _emulator_fix(config: CognitoConfig) -> tuple[str, ...]:
    """Return the fix if the hosted UI is an emulator, but the keys are requested from AWS."""
    if not is_loopback(config.domain):
        return ()
    key_set = f"{config.domain}/{config.pool_id}/.well-known/jwks.json"
    return (
        f"Emulator: set COGNITO_JWKS_URL to the URL of its keys, such as {key_set}",
        "Emulator whose tokens have an issuer of its own: set COGNITO_ISSUER to that issuer.",
    )


def pool_unknown(config: CognitoConfig, url: str, status: int) -> Finding:
    return Finding(
        id="pool-unknown",
        what=f"The user pool {config.pool_id} (COGNITO_POOL_ID) does not exist: {url} responds with"
        f" {status}.",
        why="Users cannot sign in, and no token can be verified.",
        fix=(
            *_emulator_fix(config),
            "Console: Cognito > User pools lists the pool IDs of the region at the top right.",
            "Command line: `manage.py cognito_env --stack NAME` writes the values of your stack.",
            *in_environment("COGNITO_POOL_ID"),
        ),
    )


def issuer_of_another_pool(config: CognitoConfig) -> Finding:
    return Finding(
        id="issuer-of-another-pool",
        what=f"COGNITO_ISSUER is {config.issuer}, which is not the issuer of the pool"
        f" {config.pool_id} (COGNITO_POOL_ID).",
        why="This site would refuse every token of the pool, because of its issuer.",
        fix=(
            "Environment or .env: remove COGNITO_ISSUER. It is derived from COGNITO_POOL_ID.",
            "Custom endpoint: the last part of COGNITO_ISSUER must be the pool ID.",
        ),
    )


def issuer_differs(config: CognitoConfig, published: str) -> Finding:
    region = region_of_issuer(published, config.pool_id)
    fix = f"set COGNITO_ISSUER={published}, or remove it."
    if region == config.region:
        fix = "remove COGNITO_ISSUER. Both issuers of the pool at AWS are accepted without it."
    elif region:
        fix = f"add {region} to COGNITO_REPLICA_REGIONS."
    return Finding(
        id="issuer-differs",
        what=f"This site expects tokens of the issuer {' or '.join(config.pool.issuers)}, but the"
        f" issuer of the pool is {published}.",
        why="This site would refuse every token, because it compares issuers exactly.",
        fix=(f"Environment or .env: {fix}",),
    )


def keys_unreachable(url: str, reason: str) -> Finding:
    return Finding(
        id="keys-unreachable",
        what=f"The signing keys at {url} cannot be fetched: {reason}.",
        why="Without them, no token can be verified, so users cannot sign in.",
        fix=(
            "Environment or .env: remove COGNITO_JWKS_URL, unless the pool has a custom endpoint.",
            f"Network: this machine must reach {urlsplit(url).netloc}.",
        ),
    )


def keys_unusable(url: str, reason: str) -> Finding:
    return Finding(
        id="keys-unusable",
        what=f"The document at {url} cannot be used: {reason}.",
        why="Without a key, no token can be verified, so users cannot sign in.",
        fix=(
            "Environment or .env: remove COGNITO_JWKS_URL, unless the pool has a custom endpoint.",
            f"To test it: `curl {url}` must print a list of RSA keys.",
        ),
    )


def keys_of_another_pool(url: str, published: str) -> Finding:
    return Finding(
        id="keys-of-another-pool",
        what=f"COGNITO_JWKS_URL is {url}, but the keys of this pool are at {published}, and the two"
        " documents have no key in common.",
        why="This site would refuse every token, because its signing key is unknown.",
        fix=(f"Environment or .env: set COGNITO_JWKS_URL={published}, or remove it.",),
    )


def clock_skew(seconds: int, url: str) -> Finding:
    direction = "behind" if seconds > 0 else "ahead of"
    return Finding(
        id="clock-skew",
        what=f"The clock of this machine is {abs(seconds)} s {direction} that of"
        f" {urlsplit(url).netloc}.",
        why="If it is behind, tokens seem to be issued in the future (refused beyond 60 s). If it"
        " is ahead, tokens seem to expire early.",
        fix=(
            "This machine: enable time synchronization (`timedatectl set-ntp true`, chrony).",
            "Local pool: `python -m local_pool do` can set its clock. Its console resets it.",
        ),
    )


def domain_unreachable(config: CognitoConfig, reason: str, published: str | None) -> Finding:
    hint = ""
    if published:
        hint = f" The pool's discovery document names {published}."
    elif published is not None:
        hint = f" The pool {config.pool_id} has no domain yet."
    return Finding(
        id="domain-unreachable",
        what=f"The hosted UI at {config.domain} (COGNITO_CLIENT_DOMAIN) does not respond: {reason}."
        f"{hint}",
        why="Users cannot reach the sign-in page, and this site cannot exchange codes.",
        fix=_domain_fix(config),
    )


def domain_not_hosted_ui(config: CognitoConfig, url: str) -> Finding:
    return Finding(
        id="domain-not-hosted-ui",
        what=f"{url} responds, but not as Cognito's hosted UI does.",
        why="Users would be redirected to a page that cannot sign them in.",
        fix=_domain_fix(config),
    )


def domain_of_another_pool(config: CognitoConfig, published: str) -> Finding:
    return Finding(
        id="domain-of-another-pool",
        what=f"COGNITO_CLIENT_DOMAIN is {config.domain}, which has no app client"
        f" {config.client_id}. The hosted UI of the pool {config.pool_id} is at {published}.",
        why="Users would see an error page of another pool.",
        fix=(f"Environment or .env: set COGNITO_CLIENT_DOMAIN={published}",),
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
            (
                f"Template: parameter ManagedLogin=true in {TEMPLATE} sets the version of the"
                " domain and creates the style."
            ),
            (
                "Command line: `aws cognito-idp create-managed-login-branding --user-pool-id"
                f" {config.pool_id} --client-id {config.client_id} --use-cognito-provided-values`"
            ),
        ),
    )


def _domain_fix(config: CognitoConfig) -> tuple[str, ...]:
    if is_loopback(config.domain):
        return ("Local pool: start it with `make run`. COGNITO_CLIENT_DOMAIN contains its port.",)
    return (
        f"Console: Cognito > User pools > {config.pool_id} > Domain shows or creates the domain.",
        f"Template: parameter DomainPrefix in {TEMPLATE}. A new one takes effect after a minute.",
        *in_environment("COGNITO_CLIENT_DOMAIN"),
    )
