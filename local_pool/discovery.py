"""The discovery document and the key set, below each base that the issuer can have."""

from flask import jsonify
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.wrappers import Response

from .pool import Pool
from .pool_config import UPDATED_BASE


def discovery(pool: Pool, base: str = "") -> Response:
    domain, issuer = pool.config.domain, _served_issuer(pool, base)
    is_open = pool.config.client_registration != "off"
    return jsonify(
        **({"registration_endpoint": f"{domain}/oauth2/register"} if is_open else {}),
        authorization_endpoint=f"{domain}/oauth2/authorize",
        end_session_endpoint=f"{domain}/logout",
        id_token_signing_alg_values_supported=["RS256"],
        issuer=issuer,
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        response_types_supported=["code", "token"],
        revocation_endpoint=f"{domain}/oauth2/revoke",
        scopes_supported=["openid", "email", "phone", "profile"],
        subject_types_supported=["public"],
        token_endpoint=f"{domain}/oauth2/token",
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
        userinfo_endpoint=f"{domain}/oauth2/userInfo",
    )


def _served_issuer(pool: Pool, base: str) -> str:
    """Return the issuer at this base, or raise 403 for the updated one if it is not enabled."""
    issuer = f"{pool.config.api_url}/{base}{'/' if base else ''}{pool.config.id}"
    if issuer not in pool.config.issuers:
        raise NotFound
    if base == UPDATED_BASE and pool.config.issuer_type == "original":
        raise Forbidden  # as reported of Cognito's host (aws-jwt-verify, issue 279)
    return issuer


def jwks(pool: Pool, base: str = "") -> Response:
    _served_issuer(pool, base)
    return jsonify(pool.keys.jwks())


ROUTES = tuple(
    (f"{base}/{{pool_id}}/.well-known/{name}", endpoint, view, ["GET"])
    for base in ("", "/<base>")
    for name, endpoint, view in (
        ("openid-configuration", "discovery", discovery),
        ("jwks.json", "jwks", jwks),
    )
)
