"""The settings of an application that uses the pool, in the format of its library."""

from .pool_config import PoolConfig


def lines(config: PoolConfig, framework: str | None = None) -> str:
    """Return the COGNITO_* lines of this project, or those of a library in FRAMEWORKS."""
    if framework is None:
        return "\n".join(f"{name}={value}" for name, value in config.app_environment().items())
    return FRAMEWORKS[framework].format(
        id=config.client_id,
        secret=config.client_secret,
        issuer=config.issuer,
        domain=config.domain,
    )


FRAMEWORKS = {
    # For settings.py. Its callback is http://localhost:8000/oidc/callback/.
    "mozilla-django-oidc": """\
OIDC_RP_CLIENT_ID = "{id}"
OIDC_RP_CLIENT_SECRET = "{secret}"
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid email profile"
OIDC_OP_AUTHORIZATION_ENDPOINT = "{domain}/oauth2/authorize"
OIDC_OP_TOKEN_ENDPOINT = "{domain}/oauth2/token"
OIDC_OP_USER_ENDPOINT = "{domain}/oauth2/userInfo"
OIDC_OP_JWKS_ENDPOINT = "{issuer}/.well-known/jwks.json\"""",
    # For .env.local, with the provider Cognito. Its callback is
    # http://localhost:3000/api/auth/callback/cognito.
    "nextauth": """\
AUTH_COGNITO_ID={id}
AUTH_COGNITO_SECRET={secret}
AUTH_COGNITO_ISSUER={issuer}
AUTH_SECRET=development-only""",
    # For application.properties. Its callback is http://localhost:8080/login/oauth2/code/cognito.
    # The default user-name-attribute, sub, is the only name in both the ID token and userInfo:
    # Spring may omit the call of userInfo, because Cognito's token response has no scope.
    "spring": """\
spring.security.oauth2.client.registration.cognito.client-id={id}
spring.security.oauth2.client.registration.cognito.client-secret={secret}
spring.security.oauth2.client.registration.cognito.scope=openid,email,profile
spring.security.oauth2.client.provider.cognito.issuer-uri={issuer}""",
}
