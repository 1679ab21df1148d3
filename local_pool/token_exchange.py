"""Token exchange (RFC 8693): a token of a user for another client, audience or actor.

The client must allow it with ``ALLOW_TOKEN_EXCHANGE_IMPERSONATION``, or with
``ALLOW_TOKEN_EXCHANGE_DELEGATION`` if there is an actor, who is then in the claim ``act``. Cognito
does not document the shape of ``act`` and the effect of a revocation: here the token ends with the
sign-in of the subject token. It never comes with a refresh token.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from . import access, triggers
from .declarations import Client
from .errors import TokenError
from .pool import Pool
from .sessions import DIRECT, Caller
from .tokens import Claims, access_claims, id_claims

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN, ID_TOKEN = f"{TYPE}access_token", f"{TYPE}id_token"
USES = {ACCESS_TOKEN: "access", ID_TOKEN: "id"}


def exchange(
    pool: Pool, client: Client, form: Mapping[str, str], caller: Caller = DIRECT
) -> dict[str, Any]:
    """Return a token for the user of ``subject_token``, as the token endpoint does."""
    if pool.config.plan == "lite":
        raise TokenError("unsupported_grant_type", cause="the plan Lite has no token exchange")
    actor = _actor(pool, form)
    flow = f"ALLOW_TOKEN_EXCHANGE_{'DELEGATION' if actor else 'IMPERSONATION'}"
    if flow not in client.auth_flows:
        raise TokenError("unauthorized_client", cause=f"this client does not have {flow}")
    subject = _read(pool, form, "subject_token")
    sign_in = pool.state.sign_ins.get(subject.get("origin_jti", ""))
    user = pool.find_owner(sign_in)
    if sign_in is None or user is None or sign_in.revoked_at is not None:
        raise TokenError("invalid_grant", cause="the sign-in of subject_token has ended")
    scopes = _scopes(client, subject, sign_in.scopes, form.get("scope", ""))
    derived = replace(
        sign_in, client_id=client.client_id, scopes=scopes, resource=_audience(form), by_api=False
    )
    now, config = pool.clock(), pool.next_tokens_config(client)
    changes = triggers.run(pool, "Authentication", client.client_id, user, list(scopes))
    claims = changes.apply(access_claims(config, now, user, derived))
    token_type = form.get("requested_token_type") or ACCESS_TOKEN
    if token_type == ID_TOKEN:
        subject_token = form["subject_token"]
        claims = changes.apply(id_claims(config, now, user, derived, client, subject_token, ""))
    elif token_type != ACCESS_TOKEN:
        raise TokenError("invalid_request", cause=f"requested_token_type is {token_type[:100]}")
    if actor:
        claims["act"] = actor | ({"act": subject["act"]} if "act" in subject else {})
    return {
        "access_token": pool.mint(claims),
        "issued_token_type": token_type,
        "token_type": "Bearer" if token_type == ACCESS_TOKEN else "N_A",
        "expires_in": claims["exp"] - claims["iat"],
        "scope": " ".join(scopes),
    }


def _read(pool: Pool, form: Mapping[str, str], name: str) -> Claims:
    """Return the claims of a token of this pool. Raises TokenError if it is not valid."""
    if not form.get(name) or form.get(f"{name}_type") not in USES:
        raise TokenError("invalid_request", cause=f"{name} or its type is missing or not supported")
    try:
        claims = access.decode(pool, form[name])
    except TokenError as error:
        raise TokenError("invalid_request", cause=f"{name}: {error.cause}") from None
    if claims.get("token_use") != USES[form[f"{name}_type"]]:
        raise TokenError("invalid_request", cause=f"{name} has another type")
    return claims


def _actor(pool: Pool, form: Mapping[str, str]) -> Claims:
    """Return the claim ``act`` for the actor, or {} without one."""
    return {"sub": _read(pool, form, "actor_token")["sub"]} if form.get("actor_token") else {}


def _scopes(
    client: Client, subject: Claims, granted: tuple[str, ...], requested: str
) -> tuple[str, ...]:
    """Return the requested scopes that the subject token and the client have."""
    of_subject = subject.get("scope", " ".join(granted)).split()
    wanted = requested.split() or of_subject
    return tuple(s for s in wanted if s in of_subject and s in client.scopes)


def _audience(form: Mapping[str, str]) -> str:
    audience, resource = form.get("audience", ""), form.get("resource", "")
    if audience and resource:
        raise TokenError("invalid_request", cause="send audience or resource, not both")
    return audience or resource
