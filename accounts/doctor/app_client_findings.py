"""The findings about the app client: credentials, grant types, scopes and URLs."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..cognito.config import CognitoConfig
from ..provider.secret_source import SecretKind, SecretSource
from .finding import TEMPLATE, Finding, at_app_client, in_environment, member

_LOGIN_PAGES = "Login pages > Edit"
_OAUTH = member("AllowedOAuthFlowsUserPoolClient", "=", True)
_CODE_FLOW = f"{member('AllowedOAuthFlows', '+=', ['code'])} | {_OAUTH}"


def client_unknown(config: CognitoConfig) -> Finding:
    return Finding(
        id="client-unknown",
        what=f"The hosted UI at {config.domain} has no app client {config.client_id}"
        " (COGNITO_CLIENT_ID).",
        why="Users who sign in would see Cognito's error page and not return to this site.",
        fix=(
            f"Console: Cognito > User pools > {config.pool_id} > App clients lists the client IDs.",
            "Command line: `manage.py cognito_env --stack NAME` writes the values of your stack.",
            *in_environment("COGNITO_CLIENT_ID", "COGNITO_CLIENT_SECRET"),
        ),
    )


def secret_refused(config: CognitoConfig) -> Finding:
    source = SecretSource(config)
    if source.kind is SecretKind.VALUE:
        what, also = "COGNITO_CLIENT_SECRET", in_environment("COGNITO_CLIENT_SECRET")
    else:
        what = f"the secret in {source} (COGNITO_CLIENT_SECRET)"
        also = (f"Or store the current secret in {source}. The site reads it again by itself.",)
    return Finding(
        id="secret-refused",
        what=f"Cognito does not accept {what} for app client {config.client_id}.",
        why="Users could sign in at the hosted UI, but this site could not exchange their codes.",
        fix=(
            (
                f"Console: Cognito > User pools > {config.pool_id} > App clients >"
                f" {config.client_id} > Show client secret."
            ),
            (
                f"Command line: `manage.py cognito_env --pool {config.pool_id} --client"
                f" {config.client_id}` writes the secret, or its ARN, without showing it."
            ),
            *also,
        ),
    )


def client_without_secret(config: CognitoConfig) -> Finding:
    return Finding(
        id="client-without-secret",
        what=f"App client {config.client_id} has no secret, but this site sends one"
        " (COGNITO_CLIENT_SECRET).",
        why="Cognito refuses a secret from an app client that has none. A site with a server"
        " should use an app client with a secret.",
        fix=(
            (
                f"Console: Cognito > User pools > {config.pool_id} > App clients: use an app client"
                " with a secret, or create one of the type Traditional web application. An existing"
                " app client cannot get a secret."
            ),
            f"Template: output CognitoClientId of {TEMPLATE}. `manage.py cognito_env` reads it.",
            *in_environment("COGNITO_CLIENT_ID", "COGNITO_CLIENT_SECRET"),
        ),
    )


def token_endpoint_unavailable(config: CognitoConfig, reason: str) -> Finding:
    return Finding(
        id="token-endpoint-unavailable",
        what=f"{config.token_endpoint} returns no usable response: {reason}.",
        why="This site cannot exchange codes or refresh tokens.",
        fix=(
            (
                f"Network: this machine must reach {config.domain}. It is not enough that a browser"
                " reaches it. A firewall (AWS WAF) on the pool must allow this server."
            ),
        ),
    )


def token_request_refused(config: CognitoConfig, error: str) -> Finding:
    return Finding(
        id="token-request-refused",
        what=f"{config.token_endpoint} refuses the requests of this site with {error}.",
        why="This site could not exchange the codes of users who signed in.",
        fix=_allow_code_flow(config),
    )


def code_flow_off(config: CognitoConfig) -> Finding:
    return Finding(
        id="code-flow-off",
        what=f"App client {config.client_id} does not allow the authorization code grant.",
        why="Every sign-in fails with unauthorized_client.",
        fix=_allow_code_flow(config),
    )


def authorize_refused(config: CognitoConfig, error: str, description: str) -> Finding:
    reason = f"{error} ({description})" if description else error or "Cognito gives no reason"
    return Finding(
        id="authorize-refused",
        what=f"{config.authorize_endpoint} refuses the sign-ins of this site: {reason}.",
        why="Users cannot reach the sign-in page.",
        fix=at_app_client(
            config,
            f"{_LOGIN_PAGES}: identity providers and grant types",
            template="SupportedIdentityProviders and AllowedOAuthFlowsUserPoolClient: true",
            local="check the client in local_pool/pool.toml",
            change=f"{member('SupportedIdentityProviders', '+=', ['COGNITO'])} | {_OAUTH}",
        ),
    )


def scope_not_allowed(config: CognitoConfig, scope: str) -> Finding:
    return Finding(
        id="scope-not-allowed",
        what=f"COGNITO_SCOPES contains {scope}, but app client {config.client_id} does not allow"
        " it.",
        why="Cognito returns every user with invalid_scope instead of signing them in.",
        fix=(
            f"Environment or .env: remove {scope} from COGNITO_SCOPES, or allow it:",
            *at_app_client(
                config,
                f"{_LOGIN_PAGES}: OpenID Connect scopes",
                template="AllowedOAuthScopes",
                local=f'add "{scope}" to scopes in local_pool/pool.toml or POOL_SCOPES',
                change=member("AllowedOAuthScopes", "+=", [scope]),
            ),
        ),
    )


def callback_not_registered(config: CognitoConfig, url: str, registered: str) -> Finding:
    return Finding(
        id="callback-not-registered",
        what=f"The callback URL {url} is not registered at app client {config.client_id}."
        f"{_name_variant(registered)}",
        why="Cognito stops every sign-in with redirect_mismatch on its own error page. Such a"
        " sign-in never returns to this site.",
        fix=(*_register_callback(config, url), *_correct_public_url(url, registered)),
    )


def sign_out_not_registered(config: CognitoConfig, url: str, registered: str) -> Finding:
    return Finding(
        id="sign-out-not-registered",
        what=f"The sign-out URL {url} is not registered at app client {config.client_id}."
        f"{_name_variant(registered)}",
        why="Users who sign out see Cognito's error page instead of this site.",
        fix=(
            *at_app_client(
                config,
                f"{_LOGIN_PAGES}: Allowed sign-out URLs: {url}",
                template=f"parameter SignOutUrls, with {url} in its list",
                local=f"add {url} to POOL_LOGOUT_URLS",
                change=member("LogoutURLs", "+=", [url]),
            ),
            "Callback and sign-out URLs are two separate lists. Cognito compares both exactly.",
        ),
    )


def spa_callback_not_registered(config: CognitoConfig, url: str, registered: str) -> Finding:
    return Finding(
        id="spa-callback-not-registered",
        what=f"COGNITO_SPA_REDIRECT_URIS contains {url}, which is not registered at app client"
        f" {config.client_id}.{_name_variant(registered)}",
        why="Cognito stops the sign-ins of this single-page app with redirect_mismatch.",
        fix=_register_callback(config, url),
    )


def public_client_unusable(config: CognitoConfig, client_id: str) -> Finding:
    return Finding(
        id="public-client-unusable",
        what=f"COGNITO_PUBLIC_CLIENT_ID is {client_id}, which the hosted UI at {config.domain}"
        " does not accept without a secret.",
        why="Clients that sign in without this server (the API documentation, single-page apps)"
        " cannot exchange their codes.",
        fix=(
            (
                f"Console: Cognito > User pools > {config.pool_id} > App clients: use an app client"
                " without a secret (type Single-page application)."
            ),
            f"Template: output CognitoPublicClientId of {TEMPLATE}.",
            "Environment or .env: set COGNITO_PUBLIC_CLIENT_ID to its client ID, or remove it.",
        ),
    )


def public_callback_not_registered(
    config: CognitoConfig, client_id: str, url: str, registered: str
) -> Finding:
    return Finding(
        id="public-callback-not-registered",
        what=f"The API documentation's callback URL {url} is not registered at the public app"
        f" client {client_id}.{_name_variant(registered)}",
        why="The Authorize button of the API documentation fails with redirect_mismatch.",
        fix=_register_callback(
            config, url, template="parameter PublicCallbackUrls", client_id=client_id
        ),
    )


def _allow_code_flow(config: CognitoConfig) -> tuple[str, ...]:
    return at_app_client(
        config,
        f"{_LOGIN_PAGES}: OAuth grant types: Authorization code grant",
        template="AllowedOAuthFlows: [code]",
        local='set flows = ["code"] for the client in local_pool/pool.toml',
        change=_CODE_FLOW,
    )


def _register_callback(
    config: CognitoConfig,
    url: str,
    *,
    template: str = "parameter CallbackUrls",
    client_id: str = "",
) -> tuple[str, ...]:
    return at_app_client(
        config,
        f"{_LOGIN_PAGES}: Allowed callback URLs: {url}",
        template=f"{template}, with {url} in its list",
        local=f"add {url} to POOL_CALLBACK_URLS",
        change=member("CallbackURLs", "+=", [url]),
        client_id=client_id,
    )


def _name_variant(registered: str) -> str:
    return f" {registered} is registered instead." if registered else ""


def _correct_public_url(url: str, registered: str) -> tuple[str, ...]:
    if not registered:
        return ("Or correct PUBLIC_URL, from which this site builds the callback URL.",)
    if urlsplit(registered).path != urlsplit(url).path:
        return ()  # a slash is missing or superfluous, which PUBLIC_URL cannot change
    return (
        (
            "Or serve this site at the registered URL: set PUBLIC_URL to the part of"
            f" {registered} before its path."
        ),
    )
