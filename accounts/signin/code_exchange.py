"""Redeeming the code of a single-page app: the tokens go to the app, nothing is kept here."""

from __future__ import annotations

from django.http import HttpRequest

from ..audit import events
from ..cognito.token_endpoint import TokenSet
from ..core.request_meta import subnet_of
from ..provider import provider
from ..tokens.grants import verified_grant
from ..users.provisioning import person_of_id_token


def redeem_code(
    request: HttpRequest, *, code: str, redirect_uri: str, code_verifier: str | None
) -> TokenSet:
    """The tokens of an authorization code, verified; its person is created or updated.

    There is no nonce to compare, for the app keeps its own attempts.

    Raises:
        GrantRejected: the code is used, expired or unknown, or the verifier is not its own.
        RequestRejected: the code was sent to another address, or asked for by another client.
        ClientRejected: Cognito does not accept our client id or secret.
        TokenRejected: what Cognito issued did not pass our checks.
        UnknownUser, UserDeactivated: not let in; the tokens are not handed out.
        CognitoUnavailable: no usable answer.
    """
    tokens = provider().token_endpoint.exchange(
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=code_verifier,
        subnet=subnet_of(request),
    )
    granted = verified_grant(tokens, nonce=None)
    user = person_of_id_token(granted.id_claims)
    events.record(
        "signed in", user=user, person=granted.id_claims.username, request=request, by="API"
    )
    return tokens
