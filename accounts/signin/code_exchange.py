"""The exchange of a single-page app's code for tokens."""

from __future__ import annotations

from django.http import HttpRequest

from ..audit import events
from ..cognito.token_endpoint import TokenSet
from ..core.request_meta import subnet_of
from ..models import EventKind, Identity
from ..problems.errors import SignedOutEverywhere
from ..provider import provider
from ..sessions import app_sign_ins, ending
from ..tokens import revocations
from ..tokens.grants import verified_grant
from ..users.provisioning import get_or_create_user


def exchange_code(
    request: HttpRequest, *, code: str, redirect_uri: str, code_verifier: str | None
) -> TokenSet:
    """Return the verified tokens for an authorization code, and create or update its user.

    The sign-in is stored, so that it can be listed and ended.

    There is no nonce to compare, because the app makes its own attempts.

    Raises:
        GrantRejected: the code was used, has expired or is unknown, or the verifier does not match.
        RequestRejected: the code belongs to another redirect URI or another app client.
        ClientRejected: Cognito does not accept our client ID or secret.
        TokenRejected: a token from Cognito is not valid here.
        UnknownUser, ClaimsRefused, UserDeactivated: the user has no access, and the tokens are not
            returned.
        SignedOutEverywhere: the user signed out everywhere after this sign-in.
        CognitoUnavailable: there was no usable response.
    """
    tokens = provider().token_endpoint.exchange(
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=code_verifier,
        subnet=subnet_of(request),
    )
    granted = verified_grant(tokens, nonce=None)
    user = get_or_create_user(
        granted.id_claims, access_token=tokens.access_token, id_token=tokens.id_token
    )
    try:
        identity = Identity.objects.get_exact(granted.id_claims)
        revocations.require_later_sign_in(granted.id_claims, identity)
    except SignedOutEverywhere:
        ending.discard(tokens)
        raise
    app_sign_ins.store(request, user, granted)
    events.record_event(
        EventKind.SIGNED_IN,
        user=user,
        pool_username=granted.id_claims.username,
        request=request,
        by="API",
    )
    return tokens
