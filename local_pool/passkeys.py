"""Passkeys (WebAuthn): registering one, and signing in with it. The library is fido2, by Yubico.

It is loaded at the first use, because a pool without passkeys does not need it. The relying party
is ``localhost``, which browsers accept without TLS. There is no attestation, as at Cognito.
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import users, verification
from .errors import INVALID, UserError
from .pool import Pool
from .records import Passkey, PoolUser
from .tokens import base64url

if TYPE_CHECKING:
    from fido2.server import Fido2Server
    from fido2.webauthn import AttestedCredentialData

RELYING_PARTY = "localhost"
MAX_PASSKEYS = 20
METHODS = {"platform": "swk", "cross-platform": "hwk"}  # the claim amr (RFC 8176)
PURPOSE = "passkey"
ALGORITHMS = (-7, -257)  # ES256, RS256
State = dict[str, Any]
ERRORS = (
    ("origin", "WebAuthnOriginNotAllowedException"),
    ("RP ID", "WebAuthnRelyingPartyMismatchException"),
    ("challenge", "WebAuthnClientMismatchException"),
)


def is_enabled(pool: Pool) -> bool:
    return "WEB_AUTHN" in pool.config.first_auth_factors and pool.config.plan != "lite"


def owned_by(pool: Pool, user: PoolUser) -> dict[str, Passkey]:
    """Return the user's passkeys by credential ID."""
    return {key: p for key, p in list(pool.state.passkeys.items()) if p.sub == user.sub}


def _server(pool: Pool) -> "Fido2Server":
    if not is_enabled(pool):
        message = "WebAuthn is not enabled for the user pool."
        raise UserError("WebAuthnNotEnabledException", message)
    try:
        from fido2.server import Fido2Server
        from fido2.webauthn import PublicKeyCredentialRpEntity
    except ImportError:
        message = "Passkeys need a package: pip install fido2"
        raise UserError("WebAuthnConfigurationMissingException", message) from None
    party = PublicKeyCredentialRpEntity(name=pool.config.id, id=RELYING_PARTY)
    server = Fido2Server(party, verify_origin=lambda origin: origin in _origins(pool))
    server.allowed_algorithms = [p for p in server.allowed_algorithms if p.alg in ALGORITHMS]
    return server


def _origins(pool: Pool) -> tuple[str, ...]:
    """Return the origin of the hosted UI, and those of the apps that call the API themselves."""
    urls = [url for client in pool.clients.values() for url in client.callback_urls]
    return (pool.config.domain, *("/".join(url.split("/", 3)[:3]) for url in urls))


def _data(passkey: Passkey) -> "AttestedCredentialData":
    from fido2.webauthn import AttestedCredentialData

    return AttestedCredentialData(bytes.fromhex(passkey.data))


def creation_options(pool: Pool, user: PoolUser) -> State:
    """Return the options for ``navigator.credentials.create``, as JSON (base64url)."""
    server = _server(pool)
    own = owned_by(pool, user)
    if len(own) >= MAX_PASSKEYS:
        raise UserError("LimitExceededException", f"A user has {MAX_PASSKEYS} passkeys at most.")
    from fido2.webauthn import (
        PublicKeyCredentialUserEntity,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    name = user.attributes.get("name") or user.username
    entity = PublicKeyCredentialUserEntity(
        name=user.username, id=user.sub.encode(), display_name=name
    )
    options, state = server.register_begin(
        entity,
        [_data(passkey) for passkey in own.values()],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement(pool.config.passkey_verification),
    )
    verification.challenge(pool, user, PURPOSE, state["challenge"])
    return _json(options)


def register(pool: Pool, user: PoolUser, credential: Mapping[str, Any]) -> str:
    """Store the passkey that a browser has created, and return its credential ID."""
    server = _server(pool)
    pending = verification.take(pool, user, PURPOSE)
    if pending is None:
        message = "The registration has expired. Start again."
        raise UserError("WebAuthnChallengeNotFoundException", message)
    try:
        registered = server.register_complete(_state(pool, pending.code), credential)
    except Exception as error:  # whatever the library raises about a malformed credential
        raise _to_user_error(error) from error
    data = registered.credential_data
    if data is None or data.public_key.get(3) not in ALGORITHMS:
        message = "The algorithm of the passkey is not supported."
        raise UserError("WebAuthnCredentialNotSupportedException", message)
    key, response = base64url(data.credential_id), credential.get("response") or {}
    attachment = str(credential.get("authenticatorAttachment") or "platform")
    passkey = Passkey(
        sub=user.sub,
        data=bytes(data).hex(),
        name=f"Passkey {len(owned_by(pool, user)) + 1}",
        created=pool.clock(),
        attachment=attachment if attachment in METHODS else "platform",
        transports=tuple(map(str, response.get("transports") or ())),
    )
    pool.require_primary()
    with pool.change() as state:
        state.passkeys[key] = passkey
    return key


def request_options(pool: Pool, user: PoolUser) -> tuple[State, str]:
    """Return the options for ``navigator.credentials.get``, and their challenge."""
    from fido2.webauthn import UserVerificationRequirement

    wanted = UserVerificationRequirement(pool.config.passkey_verification)
    own = [_data(passkey) for passkey in owned_by(pool, user).values()]
    options, state = _server(pool).authenticate_begin(own, user_verification=wanted)
    return _json(options), str(state["challenge"])


def check(pool: Pool, user: PoolUser, challenge: str, credential: str) -> tuple[str, ...]:
    """Return the methods of authentication of a correct assertion (JSON), or raise UserError."""
    server, own = _server(pool), owned_by(pool, user)
    try:
        used = server.authenticate_complete(
            _state(pool, challenge), [_data(p) for p in own.values()], json.loads(credential)
        )
    except Exception as error:  # whatever the library raises about a malformed credential
        users.wrong_password(pool, user.username)  # counts as one
        raise UserError("NotAuthorizedException", f"Invalid passkey: {error}") from error
    return (METHODS[own[base64url(used.credential_id)].attachment],)


def delete(pool: Pool, user: PoolUser, key: str) -> None:
    if key not in owned_by(pool, user):
        raise UserError("ResourceNotFoundException", "The passkey does not exist.")
    pool.require_primary()
    with pool.change() as state:
        del state.passkeys[key]


def _state(pool: Pool, challenge: str) -> State:
    return {"challenge": challenge, "user_verification": pool.config.passkey_verification}


def _json(options: Any) -> State:
    """Return the inner object of the options, with bytes as base64url."""
    return dict(json.loads(json.dumps(dict(options)))["publicKey"])


def _to_user_error(error: Exception) -> UserError:
    text = str(error)
    kind = next((name for word, name in ERRORS if word in text), INVALID)
    return UserError(kind, f"Invalid passkey: {text}")
