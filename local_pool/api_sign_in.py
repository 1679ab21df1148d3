"""The operations that issue, refresh and revoke tokens."""

from typing import Any

from . import grants, sign_in_flows
from .api_shapes import Body, Operations, find_client
from .errors import TokenError, UserError
from .oauth import caller
from .pool import Pool
from .sign_in_flows import Request, Step

Tokens = dict[str, Any]


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
    "GetTokensFromRefreshToken": get_tokens_from_refresh_token,
    "InitiateAuth": initiate_auth,
    "RespondToAuthChallenge": respond_to_auth_challenge,
    "RevokeToken": revoke_token,
}
