"""The operations that issue, refresh and revoke tokens."""

from typing import Any

from . import grants, sign_in_flows, token_exchange
from .api_shapes import Body, Operations, find_client
from .errors import TokenError, UserError
from .oauth import caller
from .pool import Pool
from .sign_in_steps import Request, Step
from .token_exchange import TYPE

Tokens = dict[str, Any]

TOKENS = {"SubjectToken": "subject_token", "ActorToken": "actor_token"}
TOKEN_TYPES = {
    "SubjectTokenType": "subject_token_type",
    "ActorTokenType": "actor_token_type",
    "RequestedTokenType": "requested_token_type",
}


def initiate_auth(pool: Pool, body: Body, *, is_admin: bool = False) -> Body:
    request = _request(pool, body, "AuthParameters", is_admin=is_admin)
    return _describe(sign_in_flows.initiate(pool, body["AuthFlow"], request))


def respond_to_auth_challenge(pool: Pool, body: Body, *, is_admin: bool = False) -> Body:
    request = _request(pool, body, "ChallengeResponses", is_admin=is_admin)
    return _describe(sign_in_flows.respond(pool, body["ChallengeName"], request))


def _request(pool: Pool, body: Body, parameters: str, *, is_admin: bool) -> Request:
    sent, session = body.get(parameters) or {}, body.get("Session") or ""
    return Request(find_client(pool, body), sent, session, caller(), is_admin)


def _describe(step: Step) -> Body:
    if step.tokens:
        return {"ChallengeParameters": {}, "AuthenticationResult": _result(step.tokens)}
    choices = {"AvailableChallenges": list(step.choices)} if step.choices else {}
    return {
        "ChallengeName": step.challenge,
        "Session": step.session,
        "ChallengeParameters": step.parameters,
    } | choices


def _result(tokens: Tokens) -> Body:
    return {name.title().replace("_", ""): value for name, value in tokens.items()}


def get_tokens_from_refresh_token(pool: Pool, body: Body) -> Body:
    find_client(pool, body)
    form = _client_form(body) | {"refresh_token": body["RefreshToken"]}
    client = grants.authenticate_client(pool, None, form)
    return {"AuthenticationResult": _result(grants.refresh(pool, client, form, caller()))}


def get_derived_token(pool: Pool, body: Body) -> Body:
    """Exchange a token. Without a secret, the call counts as one with IAM credentials."""
    client, form = find_client(pool, body), {"scope": " ".join(body.get("Scopes") or [])}
    if body.get("ClientSecret"):
        client = grants.authenticate_client(pool, None, _client_form(body))
    for member, name in TOKENS.items():
        if member in body:
            form[name] = body[member]
    for member, name in TOKEN_TYPES.items():
        if member in body:
            form[name] = f"{TYPE}{body[member].lower()}"
    for member, name in (("Audiences", "audience"), ("Resources", "resource")):
        form[name] = next(iter(body.get(member) or []), "")
    tokens = token_exchange.exchange(pool, client, form, caller())
    return {
        "IssuedToken": tokens["access_token"],
        "IssuedTokenType": tokens["issued_token_type"].removeprefix(TYPE).upper(),
        "TokenType": tokens["token_type"],
        "ExpiresIn": tokens["expires_in"],
        "Scopes": tokens["scope"].split(),
    }


def get_client_token(pool: Pool, body: Body) -> Body:
    """Return a machine's access token, without a domain."""
    find_client(pool, body)
    form = {"client_id": body["ClientId"], "client_secret": body["Secret"]}
    client = grants.authenticate_client(pool, None, form)
    form["scope"] = " ".join(body.get("Scopes") or [])
    return {"ClientAuthenticationResult": _result(grants.client_credentials(pool, client, form))}


def revoke_token(pool: Pool, body: Body) -> None:
    try:
        client = grants.authenticate_client(pool, None, _client_form(body))
    except TokenError as error:  # no other operation has this exception
        raise UserError("UnauthorizedException", error.cause) from None
    grants.revoke(pool, client, body["Token"], linked=is_linked(body))


def is_linked(body: Body) -> bool:
    """Return True if the sessions that belong to the session are to end as well."""
    return body.get("RevokeAssociatedSessions") == "LINKED"


def _client_form(body: Body) -> dict[str, str]:
    return {"client_id": body["ClientId"], "client_secret": body.get("ClientSecret", "")}


OPERATIONS: Operations = {
    "AdminInitiateAuth": lambda pool, body: initiate_auth(pool, body, is_admin=True),
    "AdminRespondToAuthChallenge": lambda pool, body: respond_to_auth_challenge(
        pool, body, is_admin=True
    ),
    "GetClientToken": get_client_token,
    "GetDerivedToken": get_derived_token,
    "GetTokensFromRefreshToken": get_tokens_from_refresh_token,
    "InitiateAuth": initiate_auth,
    "RespondToAuthChallenge": respond_to_auth_challenge,
    "RevokeToken": revoke_token,
}
