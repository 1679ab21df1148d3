"""The sign-ins of single-page apps: their tokens are in the app, and here to end them.

An app exchanges its code at this site, and sends its tokens with each request. Its `SignIn` belongs
to no browser session. It ends like any other one, and its end revokes the app's tokens. It also
knows the newest refresh token: if Cognito rotates them, the other tabs of the app have an old one.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from typing import Any

from django.db import IntegrityError
from django.http import HttpRequest
from django.utils import timezone

from ..audit import events
from ..cognito.claims import AccessClaims
from ..cognito.token_endpoint import TokenSet
from ..core.db import atomic
from ..core.encryption import DecryptionError
from ..core.request_meta import sender_fields
from ..models import EventKind, Identity, SignIn
from ..models.sign_ins import APP_KEY_PREFIX
from ..tokens import revocations, rotated_tokens, shared_exchange
from ..tokens.grants import GrantedTokens
from ..tokens.shared_refresh import refresh_once
from ..tokens.storage import open_tokens, token_columns
from . import ending

REUSED = "refresh_token_reused"  # the reason of an audit event


def store(request: HttpRequest, user: Any, granted: GrantedTokens) -> SignIn | None:
    """Store the sign-in of an app that has exchanged its code.

    Return None if the pool sends no `origin_jti`: then nothing identifies the sign-in.
    """
    return _create(request, user.pk, granted.tokens, granted.access_claims)


def find(claims: AccessClaims) -> SignIn | None:
    """Return the live sign-in of the app that has this access token, or None."""
    if not claims.origin_jti:
        return None
    live = SignIn.objects.live().select_related("user").filter(key=_key(claims))
    sign_in = live.filter(subject=claims.subject, client_id=claims.client_id).first()
    return sign_in if sign_in is not None and sign_in.pool_id == claims.pool_id else None


def record_refresh(
    request: HttpRequest, tokens: TokenSet, claims: AccessClaims, *, sent_refresh_token: str
) -> None:
    """Store the tokens of a refresh that Cognito has made for `sent_refresh_token`.

    `claims` are those of the new access token, which continues the sign-in. An app whose sign-in is
    not stored yet, because an earlier version exchanged its code, gets one.
    """
    sign_in = find(claims)
    if sign_in is None:
        identity = Identity.objects.get_exact(claims)
        if identity is not None:
            _create(request, identity.user_id, tokens, claims, earlier=sent_refresh_token)
        return
    try:
        stored = open_tokens(sign_in)
    except DecryptionError:
        return
    if stored.access_token == tokens.access_token:
        return
    is_earlier = rotated_tokens.find(sign_in, sent_refresh_token) is not None
    sent = stored.refresh_token if is_earlier else sent_refresh_token
    newest = tokens.refresh_token or sent
    columns = token_columns(replace(tokens, refresh_token=newest), claims)
    SignIn.objects.update_if_unchanged(sign_in, **columns, last_seen_at=timezone.now())
    if replaced := {stored.refresh_token, sent} - {newest}:
        rotated_tokens.record(sign_in, *replaced)


def newest_tokens(
    expired: AccessClaims, unverified_refresh_token: str, *, subnet: str
) -> TokenSet | None:
    """Return the sign-in's newest tokens for an app that has an earlier refresh token of it.

    `expired` are the claims of a genuine access token of the sign-in. Return None if the refresh
    token is not one that the sign-in had, or if it was replaced longer ago than the grace period.
    Raises CognitoError, as `refresh_once` does.
    """
    sign_in = find(expired)
    if sign_in is None:
        return None
    rotated = rotated_tokens.find(sign_in, unverified_refresh_token)
    if rotated is None:
        return None
    if not rotated_tokens.is_in_grace(rotated):
        if rotated_tokens.is_first_reuse(rotated):
            events.record_event(
                EventKind.REFUSED, user=sign_in.user, reason=REUSED, level=logging.WARNING
            )
        return None
    try:
        stored = open_tokens(sign_in)
    except DecryptionError:
        return None
    now = timezone.now()
    if now < sign_in.renew_at:
        seconds = int((sign_in.access_expires_at - now).total_seconds())
        return TokenSet(
            access_token=stored.access_token,
            id_token=stored.id_token,
            refresh_token=stored.refresh_token,
            expires_in=seconds,
        )
    tokens = refresh_once(stored.refresh_token, subnet=subnet, subject=expired.subject)
    return replace(tokens, refresh_token=tokens.refresh_token or stored.refresh_token)


def sign_out(request: HttpRequest, claims: AccessClaims, *, unverified_refresh_token: str) -> None:
    """End the sign-in of an access token, and revoke its refresh token at Cognito.

    Cognito revokes a refresh token only for the app client that it was issued to. If it does not
    respond, `manage.py cognito_housekeeping` tries again.
    """
    sign_in = find(claims)
    if sign_in is not None:
        reason = SignIn.EndReason.SIGNED_OUT
        pending = ending.end_sign_in(sign_in, reason=reason, request=request)
    else:
        token_id = claims.origin_jti or claims.jti or ""
        revocations.revoke_sign_in(token_id)
        shared_exchange.forget(claims, token_id)
        pending = ending.queue_revocation(unverified_refresh_token, reference="")
    ending.revoke_at_cognito([pending])


def _create(
    request: HttpRequest, user_id: Any, tokens: TokenSet, claims: AccessClaims, *, earlier: str = ""
) -> SignIn | None:
    if not claims.origin_jti:
        return None
    newest = replace(tokens, refresh_token=tokens.refresh_token or earlier)
    try:
        with atomic(SignIn):
            sign_in = SignIn.objects.create(
                key=_key(claims),
                user_id=user_id,
                pool_id=claims.pool_id,
                issuer=claims.issuer,
                subject=claims.subject,
                client_id=claims.client_id,
                auth_time=claims.auth_time or 0,
                **sender_fields(request),
                **token_columns(newest, claims),
            )
    except IntegrityError:  # another request stored it, or it has ended
        return None
    if earlier and newest.refresh_token != earlier:
        rotated_tokens.record(sign_in, earlier)
    return sign_in


def _key(claims: AccessClaims) -> str:
    digest = hashlib.sha256(f"{claims.pool_id} {claims.origin_jti}".encode()).hexdigest()
    return f"{APP_KEY_PREFIX}{digest[:48]}"
