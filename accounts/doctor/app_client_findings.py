"""What can be wrong with the app client: credentials, flow, scopes, addresses."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..cognito.config import CognitoConfig
from .finding import TEMPLATE, Finding, at_the_client, in_environment, member

_LOGIN_PAGES = "Login pages > Edit"
_OAUTH = member("AllowedOAuthFlowsUserPoolClient", "=", True)
_CODE_FLOW = f"{member('AllowedOAuthFlows', '+=', ['code'])} | {_OAUTH}"
_TWO_LISTS = "Callback and sign-out addresses are two separate lists; both are compared exactly."


def client_unknown(config: CognitoConfig) -> Finding:
    return Finding(
        id="client-unknown",
        what=f"The hosted UI at {config.domain} doesn't know app client {config.client_id}"
        " (COGNITO_CLIENT_ID).",
        why="People would arrive at Cognito's error page and never come back.",
        fix=(
            f"Console: Cognito > User pools > {config.pool_id} > App clients shows the ids.",
            "Command line: `manage.py cognito_env --stack NAME` writes the values of your stack.",
            *in_environment("COGNITO_CLIENT_ID", "COGNITO_CLIENT_SECRET"),
        ),
    )


def secret_refused(config: CognitoConfig) -> Finding:
    return Finding(
        id="secret-refused",
        what=f"Cognito doesn't accept COGNITO_CLIENT_SECRET for app client {config.client_id}.",
        why="People could sign in at the hosted UI, but their codes couldn't be redeemed.",
        fix=(
            (
                f"Console: Cognito > User pools > {config.pool_id} > App clients >"
                f" {config.client_id} > Show client secret."
            ),
            (
                f"Command line: `manage.py cognito_env --pool {config.pool_id} --client"
                f" {config.client_id}` writes it without showing it."
            ),
            *in_environment("COGNITO_CLIENT_SECRET"),
        ),
    )


def client_without_secret(config: CognitoConfig) -> Finding:
    return Finding(
        id="client-without-secret",
        what=f"App client {config.client_id} has no secret, but COGNITO_CLIENT_SECRET sends one.",
        why="Cognito refuses a secret from a client that has none; a server should have one.",
        fix=(
            (
                "An existing app client can't get a secret. Console: Cognito > User pools >"
                f" {config.pool_id} > App clients: use one that has, or create one of the type"
                " Traditional web application."
            ),
            f"Template: output CognitoClientId of {TEMPLATE}; `manage.py cognito_env` reads it.",
            *in_environment("COGNITO_CLIENT_ID", "COGNITO_CLIENT_SECRET"),
        ),
    )


def token_endpoint_unavailable(config: CognitoConfig, reason: str) -> Finding:
    return Finding(
        id="token-endpoint-unavailable",
        what=f"{config.token_endpoint} gives no usable answer: {reason}.",
        why="Codes can't be redeemed and tokens can't be renewed.",
        fix=(
            (
                f"Network: this machine must reach {config.domain}; a browser reaching it is not"
                " enough. A firewall (AWS WAF) on the pool must let the server through."
            ),
        ),
    )


def token_request_refused(config: CognitoConfig, error: str) -> Finding:
    return Finding(
        id="token-request-refused",
        what=f"{config.token_endpoint} refuses this site's requests with {error}.",
        why="Codes of people who signed in couldn't be redeemed.",
        fix=at_the_client(
            config,
            f"{_LOGIN_PAGES}: OAuth grant types: Authorization code grant",
            template="AllowedOAuthFlows: [code]",
            local='flows = ["code"] of the client in local_pool/pool.toml',
            change=_CODE_FLOW,
        ),
    )


def code_flow_off(config: CognitoConfig) -> Finding:
    return Finding(
        id="code-flow-off",
        what=f"App client {config.client_id} doesn't allow the authorization code flow.",
        why="Every sign-in ends with unauthorized_client.",
        fix=at_the_client(
            config,
            f"{_LOGIN_PAGES}: OAuth grant types: Authorization code grant",
            template="AllowedOAuthFlows: [code]",
            local='flows = ["code"] of the client in local_pool/pool.toml',
            change=_CODE_FLOW,
        ),
    )


def authorize_refused(config: CognitoConfig, error: str, description: str) -> Finding:
    said = f"{error} ({description})" if description else error or "no reason"
    return Finding(
        id="authorize-refused",
        what=f"{config.authorize_endpoint} refuses this site's sign-ins: {said}.",
        why="People can't get to the sign-in page.",
        fix=at_the_client(
            config,
            f"{_LOGIN_PAGES}: identity providers and grant types",
            template="SupportedIdentityProviders and AllowedOAuthFlowsUserPoolClient: true",
            local="the client in local_pool/pool.toml",
            change=f"{member('SupportedIdentityProviders', '+=', ['COGNITO'])} | {_OAUTH}",
        ),
    )


def scope_not_allowed(config: CognitoConfig, scope: str) -> Finding:
    return Finding(
        id="scope-not-allowed",
        what=f"COGNITO_SCOPES asks for {scope}, which app client {config.client_id} doesn't allow.",
        why="Cognito sends everybody back with invalid_scope instead of signing them in.",
        fix=(
            f"Environment or .env: take {scope} out of COGNITO_SCOPES, or allow it:",
            *at_the_client(
                config,
                f"{_LOGIN_PAGES}: OpenID Connect scopes",
                template="AllowedOAuthScopes",
                local=f'add "{scope}" to scopes in local_pool/pool.toml or POOL_SCOPES',
                change=member("AllowedOAuthScopes", "+=", [scope]),
            ),
        ),
    )


def callback_not_registered(config: CognitoConfig, sent: str, registered: str) -> Finding:
    return Finding(
        id="callback-not-registered",
        what=f"The callback address {sent} isn't registered at app client {config.client_id}."
        f"{_instead(registered)}",
        why="Everybody who signs in is stopped with redirect_mismatch, on Cognito's own page: this"
        " site never hears of it.",
        fix=(
            *at_the_client(
                config,
                f"{_LOGIN_PAGES}: Allowed callback URLs: {sent}",
                template=f"parameter CallbackUrls, with {sent} in its list",
                local=f"add {sent} to POOL_CALLBACK_URLS",
                change=member("CallbackURLs", "+=", [sent]),
            ),
            *_public_url(sent, registered),
        ),
    )


def sign_out_not_registered(config: CognitoConfig, sent: str, registered: str) -> Finding:
    return Finding(
        id="sign-out-not-registered",
        what=f"The sign-out address {sent} isn't registered at app client {config.client_id}."
        f"{_instead(registered)}",
        why="Whoever signs out ends on Cognito's error page instead of here.",
        fix=(
            *at_the_client(
                config,
                f"{_LOGIN_PAGES}: Allowed sign-out URLs: {sent}",
                template=f"parameter SignOutUrls, with {sent} in its list",
                local=f"add {sent} to POOL_LOGOUT_URLS",
                change=member("LogoutURLs", "+=", [sent]),
            ),
            _TWO_LISTS,
        ),
    )


def spa_callback_not_registered(config: CognitoConfig, sent: str, registered: str) -> Finding:
    return Finding(
        id="spa-callback-not-registered",
        what=f"COGNITO_SPA_REDIRECT_URIS names {sent}, which isn't registered at app client"
        f" {config.client_id}.{_instead(registered)}",
        why="That front end's sign-ins are stopped with redirect_mismatch.",
        fix=at_the_client(
            config,
            f"{_LOGIN_PAGES}: Allowed callback URLs: {sent}",
            template=f"parameter CallbackUrls, with {sent} in its list",
            local=f"add {sent} to POOL_CALLBACK_URLS",
            change=member("CallbackURLs", "+=", [sent]),
        ),
    )


def public_client_unusable(config: CognitoConfig, client_id: str) -> Finding:
    return Finding(
        id="public-client-unusable",
        what=f"COGNITO_PUBLIC_CLIENT_ID is {client_id}, which the hosted UI at {config.domain}"
        " doesn't accept without a secret.",
        why="Browsers that sign in without this server (the API's documentation, single-page apps)"
        " can't redeem their codes.",
        fix=(
            (
                f"Console: Cognito > User pools > {config.pool_id} > App clients: use one without a"
                " secret (type Single-page application)."
            ),
            f"Template: output CognitoPublicClientId of {TEMPLATE}.",
            "Environment or .env: set COGNITO_PUBLIC_CLIENT_ID to it, or remove it.",
        ),
    )


def public_callback_not_registered(
    config: CognitoConfig, client_id: str, sent: str, registered: str
) -> Finding:
    return Finding(
        id="public-callback-not-registered",
        what=f"The API documentation's callback {sent} isn't registered at the public app client"
        f" {client_id}.{_instead(registered)}",
        why="Its Authorize button ends with redirect_mismatch.",
        fix=at_the_client(
            config,
            f"{_LOGIN_PAGES}: Allowed callback URLs: {sent}",
            template=f"parameter PublicCallbackUrls, with {sent} in its list",
            local=f"add {sent} to POOL_CALLBACK_URLS",
            change=member("CallbackURLs", "+=", [sent]),
            client_id=client_id,
        ),
    )


def _instead(registered: str) -> str:
    return f" Registered is {registered}." if registered else ""


def _public_url(sent: str, registered: str) -> tuple[str, ...]:
    if not registered:
        return ("Or correct PUBLIC_URL, from which this site builds the address.",)
    if urlsplit(registered).path != urlsplit(sent).path:
        return ()  # a slash is too much or missing: PUBLIC_URL can't change that
    return (
        (
            "Or reach this site at the registered address: PUBLIC_URL is what precedes the path of"
            f" {registered}."
        ),
    )
