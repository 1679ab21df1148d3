"""The token endpoint's grants, and revocation.

Refusals are Cognito's: status 400 and a bare code where RFC 6749 has 401 or another code. Client
authentication, redirect address and PKCE are checked before a code is taken, so that a wrong
secret or verifier does not burn it.
"""

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from . import explain
from .declarations import STANDARD_SCOPES, Client
from .errors import TokenRefused
from .journal import NO_STATE
from .pool import Pool
from .records import AuthorizationCode, Person, RefreshToken, SignIn, digest
from .tokens import access_claims, id_claims, machine_claims, new_refresh_token

Answer = dict[str, Any]
REUSED = "Refresh Token was replaced and its grace is over"


def authenticate_client(pool: Pool, header: str | None, form: Mapping[str, str]) -> Client:
    """Basic (raw ``id:secret``), secret in the body, or a public client's bare id."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret")
    if header:
        client_id, secret = _basic(header)
    elif not client_id:
        raise TokenRefused("invalid_request", cause="no client_id in body or Authorization header")
    client = pool.config.clients.get(client_id)
    if client is None:
        raise TokenRefused("invalid_client", **explain.unknown_client(pool, client_id))  # type: ignore[arg-type]
    if not hmac.compare_digest((client.secret or "").encode(), (secret or "").encode()):
        raise TokenRefused("invalid_client", **explain.wrong_secret(client))  # type: ignore[arg-type]
    return client


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        raise TokenRefused(
            "invalid_client", cause="the Authorization header is not Basic"
        ) from None
    if not colon or not client_id:
        raise TokenRefused("invalid_client", cause="the Basic credentials are not id:secret")
    return client_id, secret


def _require(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise TokenRefused("invalid_request", cause=f"the parameter {name} is missing")
    return form[name]


def reference(pool: Pool, form: Mapping[str, str]) -> str:
    """The reference of the attempt that a code or refresh token comes from, for the journal."""
    code = pool.state.codes.get(digest(form.get("code", "")))
    token = pool.state.refresh_tokens.get(digest(form.get("refresh_token", form.get("token", ""))))
    source = code or (pool.state.sign_ins.get(token.origin_jti) if token else None)
    return source.reference if source else NO_STATE


def exchange_code(pool: Pool, client: Client, form: Mapping[str, str]) -> Answer:
    """authorization_code: exactly one caller gets the tokens of a code."""
    if "code" not in client.flows:
        raise TokenRefused("unauthorized_client", cause="this client has no code flow")
    code, redirect_uri = _require(form, "code"), _require(form, "redirect_uri")
    with pool.change() as state:
        record = state.codes.get(digest(code))
        person = _check_code(pool, client, record, redirect_uri, form.get("code_verifier", ""))
        assert record is not None  # noqa: S101 (for the type checker: _check_code refuses None)
        state.codes[digest(code)] = replace(record, used=True)
        sign_in, refresh_token = _begin(pool, client, record)
    return _answer(pool, person, sign_in, refresh_token, record.nonce)


def _check_code(
    pool: Pool, client: Client, code: AuthorizationCode | None, redirect_uri: str, verifier: str
) -> Person:
    if code is None or code.client_id != client.client_id:
        raise TokenRefused("invalid_grant", cause="the code is unknown, or another client's")
    if code.used:
        raise TokenRefused("invalid_grant", cause="the code was used already")
    if code.expires_at <= pool.clock():
        raise TokenRefused("invalid_grant", cause="the code has expired")
    if code.redirect_uri != redirect_uri:
        raise TokenRefused(
            "unauthorized_client",
            "invalid_redirect",
            cause=f"redirect_uri {redirect_uri[:200]} is not the one sent to authorize",
            fix=f"send {code.redirect_uri}",
        )
    hashed = (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    )
    if (code.challenge or verifier) and not hmac.compare_digest(hashed, code.challenge):
        raise TokenRefused("invalid_grant", cause="code_verifier does not fit the code_challenge")
    person = pool.person_of(code)
    if person is None:
        raise TokenRefused("invalid_grant", cause="the person was disabled or deleted")
    return person


def _begin(pool: Pool, client: Client, code: AuthorizationCode) -> tuple[SignIn, str]:
    """A sign-in and its first refresh token, inside ``pool.change``."""
    now = pool.clock()
    sign_in = SignIn(
        username=code.username,
        sub=code.sub,
        client_id=client.client_id,
        scopes=code.scopes,
        auth_time=code.auth_time,
        expires_at=now + pool.config.refresh_token_seconds,
        reference=code.reference,
        event_id=str(uuid.uuid4()),
        origin_jti=str(uuid.uuid4()),
        resource=code.resource,
    )
    refresh_token = new_refresh_token()
    pool.state.sign_ins[sign_in.origin_jti] = sign_in
    pool.state.refresh_tokens[digest(refresh_token)] = RefreshToken(sign_in.origin_jti)
    return sign_in, refresh_token


def _answer(
    pool: Pool, person: Person, sign_in: SignIn, refresh_token: str = "", nonce: str = ""
) -> Answer:
    now = pool.clock()
    access_token = pool.mint(access_claims(pool.config, now, person, sign_in))
    answer: Answer = {"access_token": access_token}
    if "openid" in sign_in.scopes:
        claims = id_claims(pool.config, now, person, sign_in, access_token, nonce)
        answer["id_token"] = pool.mint(claims)
    if refresh_token:
        answer["refresh_token"] = refresh_token
    return answer | {"expires_in": pool.config.access_token_seconds, "token_type": "Bearer"}


def sign_in_directly(
    pool: Pool,
    person: Person,
    client: Client,
    scopes: tuple[str, ...],
    *,
    auth_time: float | None = None,
    **known: Any,
) -> Answer:
    """Tokens without a code: the implicit flow's, or for a test or the console to use.

    ``known`` are further members of an AuthorizationCode: reference, nonce, resource.
    """
    now = pool.clock()
    given: dict[str, Any] = {"reference": "direct"} | known
    record = AuthorizationCode(
        person.username, person.sub, client.client_id, "", scopes, auth_time or now, now, **given
    )
    with pool.change():
        sign_in, refresh_token = _begin(pool, client, record)
    return _answer(pool, person, sign_in, refresh_token, record.nonce)


def refresh(pool: Pool, client: Client, form: Mapping[str, str]) -> Answer:
    """refresh_token: groups and attributes are read afresh, ``auth_time`` and ``origin_jti`` stay.

    With rotation the answer holds a successor, valid for what remains of the first one's life;
    within the grace the replaced token gives further successors.
    """
    token, successor = _require(form, "refresh_token"), ""
    with pool.change() as state:
        record = state.refresh_tokens.get(digest(token))
        sign_in, person = _check_refresh(pool, client, record)
        if pool.config.rotate_refresh_tokens:
            successor = new_refresh_token()
            state.refresh_tokens[digest(successor)] = RefreshToken(sign_in.origin_jti)
            if record is not None and record.superseded_at is None:
                state.refresh_tokens[digest(token)] = replace(record, superseded_at=pool.clock())
    return _answer(pool, person, sign_in, successor)


def _check_refresh(
    pool: Pool, client: Client, record: RefreshToken | None
) -> tuple[SignIn, Person]:
    sign_in = pool.state.sign_ins.get(record.origin_jti) if record else None
    if record is None or sign_in is None:
        raise TokenRefused("invalid_grant", cause="Invalid Refresh Token")
    if sign_in.client_id != client.client_id:
        raise TokenRefused("invalid_grant", cause="Refresh Token has different Client")
    person = pool.person_of(sign_in)
    if person is None:
        raise TokenRefused("invalid_grant", cause="User is disabled.")
    if sign_in.revoked_at is not None:
        raise TokenRefused("invalid_grant", cause="Refresh Token has been revoked")
    if sign_in.expires_at <= pool.clock():
        raise TokenRefused("invalid_grant", cause="Refresh Token has expired")
    replaced, grace = record.superseded_at, pool.config.refresh_grace_seconds
    if replaced is not None and pool.clock() >= replaced + grace:
        raise TokenRefused("invalid_grant", cause=REUSED)
    return sign_in, person


def client_credentials(pool: Pool, client: Client, form: Mapping[str, str]) -> Answer:
    if client.secret is None or "client_credentials" not in client.flows:
        raise TokenRefused(
            "unauthorized_client", cause="this client has no client_credentials flow"
        )
    scopes = list(dict.fromkeys(form.get("scope", "").split())) or list(client.scopes)
    for scope in scopes:
        if scope in STANDARD_SCOPES or scope not in pool.config.custom_scopes:
            raise TokenRefused("invalid_scope", cause=f"no resource server defines {scope[:128]}")
    refused = [scope for scope in scopes if scope not in client.scopes]
    if refused:
        raise TokenRefused("invalid_grant", **explain.scope(pool, client, refused))  # type: ignore[arg-type]
    claims = machine_claims(pool.config, pool.clock(), client.client_id, scopes)
    seconds = pool.config.access_token_seconds
    return {"access_token": pool.mint(claims), "expires_in": seconds, "token_type": "Bearer"}


def revoke(pool: Pool, client: Client, token: str) -> None:
    """End the sign-in of a refresh token; an unknown token is no error (RFC 7009, section 2.2)."""
    if not token:
        raise TokenRefused("invalid_request", cause="the parameter token is missing")
    if token.count(".") == 2:
        raise TokenRefused("unsupported_token_type", cause="only refresh tokens can be revoked")
    with pool.change() as state:
        record = state.refresh_tokens.get(digest(token))
        sign_in = state.sign_ins.get(record.origin_jti) if record else None
        if sign_in is not None and sign_in.client_id != client.client_id:
            raise TokenRefused("invalid_request", cause="the refresh token is another client's")
        if sign_in is not None and sign_in.revoked_at is None:
            state.sign_ins[sign_in.origin_jti] = replace(sign_in, revoked_at=pool.clock())
