"""The grants of the token endpoint, and revocation.

Errors are those of Cognito, which uses status 400 and a bare code where RFC 6749 has 401 or another
code. Client authentication, redirect_uri and PKCE are checked before a code is marked as used, so
that a wrong secret or verifier does not invalidate it.
"""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from . import authorization, cimd, client_secrets, explain, levels, sessions, triggers
from .declarations import STANDARD_SCOPES, Client
from .errors import TokenError
from .pool import NO_USER, Pool
from .records import BrowserSession, PoolUser, RefreshToken, SignIn, digest
from .sessions import DIRECT, Caller
from .tokens import access_claims, id_claims, machine_claims, new_refresh_token, role_claims

Tokens = dict[str, Any]
REUSED = "Refresh Token was replaced and its grace period is over"


def authenticate_client(pool: Pool, header: str | None, form: Mapping[str, str]) -> Client:
    """Return the client of a Basic header, of a secret in the body, or of a public client's ID."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if header:
        client_id, secret = _basic(header)
    elif not client_id:
        raise TokenError("invalid_request", cause="no client_id in body or Authorization header")
    client = cimd.find_client(pool, client_id)
    if client is None:
        raise TokenError("invalid_client", **explain.unknown_client(pool, client_id))
    if not client_secrets.is_valid_secret(pool, client, secret):
        raise TokenError("invalid_client", **explain.wrong_secret(client))
    return client


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        client_id, colon, secret = "", "", ""
    if scheme.lower() != "basic" or not client_id or not colon:
        raise TokenError("invalid_client", cause="the Authorization header is not Basic id:secret")
    return client_id, secret


def _require(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise TokenError("invalid_request", cause=f"the parameter {name} is missing")
    return form[name]


def _invalid_grant(cause: str) -> TokenError:
    return TokenError("invalid_grant", cause=cause)


def owner_names(pool: Pool, refresh_token: str) -> tuple[str, ...]:
    """Return the username and the ``sub`` of a refresh token's user; nothing if it is unknown."""
    record = pool.state.refresh_tokens.get(digest(refresh_token))
    sign_in = pool.state.sign_ins.get(record.origin_jti) if record else None
    return (sign_in.username, sign_in.sub) if sign_in else ()


def start_sign_in(
    pool: Pool,
    session: BrowserSession,
    client: Client,
    scopes: tuple[str, ...],
    reference: str = "direct",
    resource: str = "",
    *,
    by_api: bool = False,
) -> SignIn:
    """Store a sign-in of the session's user at a client, before its code or tokens are issued."""
    sign_in = SignIn(
        origin_jti=str(uuid.uuid4()),
        username=session.username,
        sub=session.sub,
        client_id=client.client_id,
        scopes=scopes,
        auth_time=session.auth_time,
        expires_at=pool.clock() + pool.config_for(client).refresh_token_seconds,
        reference=reference,
        event_id=str(uuid.uuid4()),
        resource=resource,
        amr=session.amr,
        sso_session_id=session.session_id,
        by_api=by_api,
    )
    with pool.change() as state:
        state.sign_ins[sign_in.origin_jti] = sign_in
    return sign_in


def exchange_code(
    pool: Pool, client: Client, form: Mapping[str, str], caller: Caller = DIRECT
) -> Tokens:
    """Exchange an authorization code for tokens. Only one of several concurrent calls succeeds."""
    if "code" not in client.flows:
        raise TokenError("unauthorized_client", cause="this client has no code flow")
    code, redirect_uri = digest(_require(form, "code")), _require(form, "redirect_uri")
    refresh_token = new_refresh_token()
    with pool.change() as state:
        record = state.codes.get(code)
        sign_in = state.sign_ins.get(record.origin_jti) if record else None
        if record is None or sign_in is None or sign_in.client_id != client.client_id:
            raise _invalid_grant("the code is unknown, or belongs to another client")
        authorization.check_code(pool, record, redirect_uri, form.get("code_verifier", ""))
        authorization.check_readable(client, sign_in.scopes)
        user = pool.find_owner(sign_in)
        if user is None or sign_in.revoked_at is not None:
            raise _invalid_grant("the user was disabled, deleted or signed out everywhere")
        state.codes[code] = replace(record, used=True)
        state.refresh_tokens[digest(refresh_token)] = RefreshToken(sign_in.origin_jti)
        sessions.track_sign_in(pool, state, sign_in, caller)
    return issue_tokens(pool, user, sign_in, refresh_token, record.nonce)


def issue_tokens(
    pool: Pool,
    user: PoolUser,
    sign_in: SignIn,
    refresh_token: str = "",
    nonce: str = "",
    source: str = "HostedAuth",
) -> Tokens:
    """Return new tokens for a sign-in, in the format of the token endpoint."""
    client = cimd.find_client(pool, sign_in.client_id) or Client(sign_in.client_id)
    changes = triggers.run(pool, source, client.client_id, user, list(sign_in.scopes))
    now, config = pool.clock(), pool.next_tokens_config(client)
    access_token = pool.mint(changes.apply(access_claims(config, now, user, sign_in)))
    tokens: Tokens = {"access_token": access_token}
    if "openid" in sign_in.scopes or sign_in.by_api:
        claims = id_claims(config, now, user, sign_in, client, access_token, nonce)
        tokens["id_token"] = pool.mint(changes.apply(claims | role_claims(pool.groups_of(user))))
    if refresh_token:
        tokens["refresh_token"] = refresh_token
    return tokens | {"expires_in": config.access_token_seconds, "token_type": "Bearer"}


def sign_in_directly(
    pool: Pool,
    user: PoolUser,
    client: Client,
    scopes: tuple[str, ...] = (),
    amr: tuple[str, ...] = levels.PASSWORD,
    caller: Caller | None = None,
) -> Tokens:
    """Return tokens without a browser and a code: for tests and the console.

    With a ``caller``, they are those of InitiateAuth.
    """
    now, refresh_token = pool.clock(), new_refresh_token()
    session = BrowserSession(user.username, user.sub, auth_time=now, expires_at=now, amr=amr)
    granted, by_api = scopes or client.scopes, caller is not None
    sign_in = start_sign_in(pool, session, client, granted, by_api=by_api)
    with pool.change() as state:
        state.refresh_tokens[digest(refresh_token)] = RefreshToken(sign_in.origin_jti)
        sessions.track_sign_in(pool, state, sign_in, caller or DIRECT)
    source = "Authentication" if by_api else "HostedAuth"
    return issue_tokens(pool, user, sign_in, refresh_token, source=source)


def refresh(pool: Pool, client: Client, form: Mapping[str, str], caller: Caller = DIRECT) -> Tokens:
    """Return new tokens with current groups and attributes, and the same ``origin_jti``.

    With rotation, the response contains a successor, which expires together with the first token.
    During the grace period, the replaced token also works and gets further successors.
    """
    token, successor = digest(_require(form, "refresh_token")), ""
    with pool.change() as state:
        record = state.refresh_tokens.get(token)
        sign_in = state.sign_ins.get(record.origin_jti) if record else None
        if record is None or sign_in is None:
            raise _invalid_grant("Invalid Refresh Token")
        user = _check_refresh(pool, client, record, sign_in)
        sessions.touch(pool, state, sign_in, caller)
        if pool.config_for(client).rotate_refresh_tokens:
            successor = new_refresh_token()
            state.refresh_tokens[digest(successor)] = RefreshToken(sign_in.origin_jti)
            if record.superseded_at is None:
                state.refresh_tokens[token] = replace(record, superseded_at=pool.clock())
    return issue_tokens(pool, user, sign_in, successor, source="RefreshTokens")


def _check_refresh(pool: Pool, client: Client, record: RefreshToken, sign_in: SignIn) -> PoolUser:
    if sign_in.client_id != client.client_id:
        raise _invalid_grant("Refresh Token has different Client")
    user = pool.find_owner(sign_in)
    if user is None:
        raise _invalid_grant(NO_USER if pool.is_orphan(sign_in) else "User is disabled.")
    if sign_in.revoked_at is not None:
        raise _invalid_grant("Refresh Token has been revoked")
    if sign_in.expires_at <= pool.clock():
        raise _invalid_grant("Refresh Token has expired")
    replaced, grace = record.superseded_at, pool.config_for(client).refresh_grace_seconds
    if replaced is not None and pool.clock() >= replaced + grace:
        raise _invalid_grant(REUSED)
    return user


def client_credentials(
    pool: Pool, client: Client, form: Mapping[str, str], caller: Caller = DIRECT
) -> Tokens:
    if "client_credentials" not in client.flows:
        cause = "this client has no client_credentials flow"
        raise TokenError("unauthorized_client", cause=cause)
    scopes = list(dict.fromkeys(form.get("scope", "").split())) or list(client.scopes)
    for scope in scopes:
        if scope in STANDARD_SCOPES or scope not in pool.custom_scopes:
            raise TokenError("invalid_scope", cause=f"no resource server defines {scope[:128]}")
    refused = [scope for scope in scopes if scope not in client.scopes]
    if refused:
        raise TokenError("invalid_grant", **explain.scope(client, refused))
    config = pool.next_tokens_config(client)
    changes = triggers.run(pool, "ClientCredentials", client.client_id, None, scopes)
    claims = machine_claims(config, pool.clock(), client.client_id, scopes)
    token = pool.mint(changes.apply(claims))
    seconds = config.access_token_seconds
    return {"access_token": token, "expires_in": seconds, "token_type": "Bearer"}


def revoke(pool: Pool, client: Client, token: str, *, linked: bool = False) -> None:
    """End the sign-in of a refresh token; ignore an unknown token (RFC 7009, section 2.2).

    With ``linked`` and session tracking, its browser session ends, too.
    """
    if not token:
        raise TokenError("invalid_request", cause="the parameter token is missing")
    if token.count(".") == 2:
        raise TokenError("unsupported_token_type", cause="only refresh tokens can be revoked")
    with pool.change() as state:
        record = state.refresh_tokens.get(digest(token))
        sign_in = state.sign_ins.get(record.origin_jti) if record else None
        if sign_in is not None and sign_in.client_id != client.client_id:
            raise TokenError("invalid_request", cause="the refresh token belongs to another client")
        if sign_in is not None and sign_in.revoked_at is None:
            state.sign_ins[sign_in.origin_jti] = replace(sign_in, revoked_at=pool.clock())
            if linked and sessions.is_enabled(pool):
                sessions.end(pool, state, sign_in.sso_session_id, linked=False)
