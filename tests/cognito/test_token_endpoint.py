"""Exchange, refresh and revoke with a scripted token endpoint."""

import base64
import json
import time

import pytest

from accounts.cognito.client_secret import ClientSecret
from accounts.cognito.config import CognitoConfig
from accounts.cognito.errors import (
    ClientRejected,
    CognitoUnavailable,
    ConfigurationError,
    GrantRejected,
    RequestRejected,
    TokenEndpointError,
)
from accounts.cognito.token_endpoint import TokenEndpoint, TokenSet
from accounts.cognito.transport import Transport
from tests.cognito.keys import CLIENT_ID, POOL_ID
from tests.cognito.loopback import hang_up, respond

SECRET = "raw_secret+with=signs"
CODE = "291219ef-c91d-4e53-b633-d6c27d6506f3"
VERIFIER = "v" * 43
GRANTED = {
    "id_token": "the-id-token",
    "access_token": "the-access-token",
    "refresh_token": "the-refresh-token",
    "expires_in": 3600,
    "token_type": "Bearer",
}


def made(server, secret=SECRET, read=None, clock=time.monotonic):
    values = {"client_secret": secret, "public_client": not secret}
    config = CognitoConfig(pool_id=POOL_ID, client_id=CLIENT_ID, domain=server.url, **values)
    transport = Transport(sleep=lambda seconds: None)
    return TokenEndpoint(
        config, transport, ClientSecret(secret, read, clock=clock) if secret else None
    )


@pytest.fixture
def endpoint(server):
    return made(server)


def granted(**changes):
    members = {**GRANTED, **changes}
    return respond(
        body=json.dumps({k: v for k, v in members.items() if v is not None}).encode(),
        Content_Type="application/json;charset=UTF-8",
    )


def refused(error, status=400, **more):
    return respond(status, json.dumps({"error": error, **more}).encode())


def exchange(endpoint, **changes):
    values = {"code": CODE, "redirect_uri": "https://app.example.com/signin"}
    return endpoint.exchange(**{**values, "code_verifier": VERIFIER, **changes})


CALLS = {
    "exchange": exchange,
    "refresh": lambda endpoint: endpoint.refresh("the-refresh-token"),
    "revoke": lambda endpoint: endpoint.revoke("the-refresh-token"),
}


@pytest.fixture(params=CALLS)
def call(request, endpoint):
    return lambda: CALLS[request.param](endpoint)


def test_code_is_exchanged(endpoint, server):
    server.play(granted())
    tokens = exchange(endpoint)
    assert tokens == TokenSet(
        access_token="the-access-token",
        id_token="the-id-token",
        refresh_token="the-refresh-token",
        expires_in=3600,
    )
    (request,) = server.received
    assert request.path == "/oauth2/token"
    assert request.form == {
        "grant_type": "authorization_code",
        "code": CODE,
        "redirect_uri": "https://app.example.com/signin",
        "code_verifier": VERIFIER,
    }


def test_code_requested_without_a_challenge_is_exchanged_without_a_verifier(endpoint, server):
    server.play(granted())
    exchange(endpoint, code_verifier=None)
    assert "code_verifier" not in server.received[0].form


def test_secret_is_sent_raw_in_basic_authentication(call, server):
    server.play(granted())
    call()
    scheme, credentials = server.received[0].headers["Authorization"].split()
    assert scheme == "Basic"
    assert base64.b64decode(credentials).decode() == f"{CLIENT_ID}:{SECRET}"
    assert "client_secret" not in server.received[0].form


def test_public_client_names_itself_in_the_body(server):
    server.play(granted())
    exchange(made(server, secret=""))
    assert server.received[0].form["client_id"] == CLIENT_ID
    assert "Authorization" not in server.received[0].headers


def test_refresh_without_rotation_keeps_the_old_refresh_token(endpoint, server):
    server.play(granted(refresh_token=None))
    assert endpoint.refresh("the-refresh-token").refresh_token is None
    assert server.received[0].form == {
        "grant_type": "refresh_token",
        "refresh_token": "the-refresh-token",
    }


def test_refresh_with_rotation_gives_the_new_one(endpoint, server):
    server.play(granted(refresh_token="successor"))
    assert endpoint.refresh("the-refresh-token").refresh_token == "successor"


def test_revocation_succeeds_with_status_200(endpoint, server):
    server.play(respond(body=b""))
    assert endpoint.revoke("the-refresh-token") is None
    assert server.received[0].path == "/oauth2/revoke"
    assert server.received[0].form == {"token": "the-refresh-token"}


@pytest.mark.parametrize("name", ["refresh", "revoke"])
def test_call_respects_its_timeout(endpoint, server, name):
    server.play(respond(503, Retry_After="1"))
    with pytest.raises(CognitoUnavailable):
        getattr(endpoint, name)("the-refresh-token", timeout=0.5)
    assert len(server.received) == 1


def test_tokens_stay_out_of_repr(endpoint, server):
    server.play(granted())
    assert repr(exchange(endpoint)) == "TokenSet(...)"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("invalid_grant", GrantRejected),
        ("invalid_client", ClientRejected),
        ("unauthorized_client", RequestRejected),
        ("invalid_request", RequestRejected),
        ("invalid_scope", RequestRejected),
        ("unsupported_grant_type", RequestRejected),
        ("unsupported_token_type", RequestRejected),
        ("something_new", RequestRejected),
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_oauth_error_is_final_and_of_its_class(call, server, error, kind, status):
    server.play(refused(error, status, error_description="free text"))
    with pytest.raises(TokenEndpointError, match=error) as failed:
        call()
    assert type(failed.value) is kind
    assert failed.value.data == {"error": error, "status": status}
    assert "free text" not in failed.value.message
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Forbidden</html>",
        b"null",
        b"[]",
        b'"invalid_grant"',
        b"{}",
        b'{"error": null}',
        b'{"error": 7}',
        b'{"error": ["invalid_grant"]}',
        b'{"error": "<script>"}',
        b'{"error": ""}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
@pytest.mark.parametrize("status", [400, 403, 404, 405])
@pytest.mark.usefixtures("no_garbage_collection")
def test_4xx_without_an_oauth_error_is_not_a_rejection(call, server, body, status):
    server.play(respond(status, body))
    message = f"responded with {status} without an error code"
    with pytest.raises(CognitoUnavailable, match=message) as failed:
        call()
    assert failed.value.data["status"] == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Welcome</html>",
        b"null",
        b"[1]",
        b"{}",
        b'{"error": "invalid_grant"}',
        b"[" * 100_000,
        json.dumps({**GRANTED, "access_token": "", "id_token": ""}).encode(),
        json.dumps({**GRANTED, "access_token": 7, "id_token": 7}).encode(),
        json.dumps({**GRANTED, "access_token": None, "id_token": None}).encode(),
        json.dumps({**GRANTED, "expires_in": None}).encode(),
        json.dumps({**GRANTED, "expires_in": "3600"}).encode(),
        json.dumps({**GRANTED, "expires_in": True}).encode(),
        json.dumps({**GRANTED, "expires_in": 0}).encode(),
        json.dumps({**GRANTED, "expires_in": float("nan")}).encode(),
    ],
)
@pytest.mark.parametrize("name", ["exchange", "refresh"])
@pytest.mark.usefixtures("no_garbage_collection")
def test_success_that_cannot_be_read_is_unavailable(endpoint, server, body, name):
    server.play(respond(body=body))
    with pytest.raises(CognitoUnavailable, match="unreadable"):
        CALLS[name](endpoint)


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("name", ["exchange", "refresh"])
def test_bearer_is_compared_without_case(endpoint, server, name, token_type):
    server.play(granted(token_type=token_type))
    assert CALLS[name](endpoint).access_token == GRANTED["access_token"]


@pytest.mark.parametrize(
    "token_type", ["mac", "DPoP", "", " Bearer", "Bearer ", "bearer,mac", None, 7, ["Bearer"]]
)
@pytest.mark.parametrize("name", ["exchange", "refresh"])
def test_tokens_of_another_type_are_not_used(endpoint, server, name, token_type):
    """RFC 6749 section 7.1."""
    server.play(granted(token_type=token_type))
    with pytest.raises(CognitoUnavailable, match="another type than Bearer"):
        CALLS[name](endpoint)


@pytest.mark.parametrize("value", ["", 7, None])
def test_code_without_an_access_token_is_unavailable(endpoint, server, value):
    server.play(granted(access_token=value))
    with pytest.raises(CognitoUnavailable, match="unreadable"):
        exchange(endpoint)


@pytest.mark.parametrize("name", ["access_token", "id_token"])
@pytest.mark.parametrize("value", ["", 7, None])
def test_token_that_a_refresh_leaves_out_is_empty(endpoint, server, name, value):
    """So a new refresh token in the response is not lost, and the verifier refuses the others."""
    server.play(granted(**{name: value, "refresh_token": "the-next-one"}))
    tokens = endpoint.refresh("the-refresh-token")
    assert (getattr(tokens, name), tokens.refresh_token) == ("", "the-next-one")


def test_missing_id_token_is_explained(endpoint, server):
    server.play(granted(id_token=None))
    with pytest.raises(RequestRejected, match="scope openid") as refused:
        exchange(endpoint)
    assert refused.value.data == {"error": "invalid_scope"}


@pytest.mark.parametrize("value", ["", 7, [], {}])
def test_unreadable_refresh_token_is_none(endpoint, server, value):
    server.play(granted(refresh_token=value))
    assert endpoint.refresh("the-refresh-token").refresh_token is None


@pytest.mark.parametrize("trouble", [respond(429), respond(500), respond(503), hang_up])
def test_exchange_is_never_sent_twice(endpoint, server, trouble):
    server.play(trouble, granted())
    with pytest.raises(CognitoUnavailable):
        exchange(endpoint)
    assert len(server.received) == 1


@pytest.mark.parametrize("trouble", [respond(429), respond(500), respond(503), hang_up])
@pytest.mark.parametrize("name", ["refresh", "revoke"])
def test_refresh_and_revoke_are_sent_again(endpoint, server, trouble, name):
    server.play(trouble, granted())
    CALLS[name](endpoint)
    assert len(server.received) == 2


def test_redirect_is_never_followed_with_our_secret(call, server):
    server.play(respond(307, Location=f"{server.url}/elsewhere"), granted())
    with pytest.raises(CognitoUnavailable, match="redirect"):
        call()
    assert len(server.received) == 1


UNSENDABLE = ["", "a b", "a\nb", "ä", "\ud800", "x" * 16_385]


@pytest.mark.parametrize("value", UNSENDABLE)
def test_malformed_grant_is_refused_without_a_call(endpoint, server, value):
    with pytest.raises(GrantRejected):
        exchange(endpoint, code=value)
    with pytest.raises(GrantRejected):
        endpoint.refresh(value)
    with pytest.raises(RequestRejected):
        endpoint.revoke(value)
    assert server.received == []


@pytest.mark.parametrize("value", ["", "v" * 42, "v" * 129, "v" * 42 + "!", "v" * 43 + "\n"])
def test_malformed_verifier_is_refused_without_a_call(endpoint, server, value):
    with pytest.raises(RequestRejected, match="PKCE"):
        exchange(endpoint, code_verifier=value)
    assert server.received == []


def test_errors_never_contain_code_token_or_secret(call, server):
    server.play(refused("invalid_grant", error_description=f"{CODE} the-refresh-token"))
    with pytest.raises(GrantRejected) as failed:
        call()
    output = repr(failed.value) + str(failed.value.data)
    assert not any(secret in output for secret in (CODE, "the-refresh-token", SECRET, VERIFIER))


def secrets_of(server):
    """Return the client secret of each request."""
    sent = [request.headers["Authorization"].removeprefix("Basic ") for request in server.received]
    return [base64.b64decode(value).decode().partition(":")[2] for value in sent]


NEW_SECRET = "the_secret_after_the_rotation"


@pytest.mark.parametrize("name", CALLS)
def test_call_is_repeated_once_with_the_changed_secret(server, name):
    endpoint = made(server, read=lambda: NEW_SECRET)
    server.play(refused("invalid_client"), granted(), granted())
    CALLS[name](endpoint)
    CALLS[name](endpoint)
    assert secrets_of(server) == [SECRET, NEW_SECRET, NEW_SECRET]
    first, second, _ = server.received
    assert first.form == second.form


@pytest.mark.parametrize("name", CALLS)
def test_changed_secret_that_is_refused_too_is_an_error(server, name):
    endpoint = made(server, read=lambda: NEW_SECRET)
    server.play(refused("invalid_client"), refused("invalid_client"))
    with pytest.raises(ClientRejected):
        CALLS[name](endpoint)
    assert secrets_of(server) == [SECRET, NEW_SECRET]


@pytest.mark.parametrize("name", CALLS)
def test_unchanged_secret_is_not_sent_again(server, name):
    endpoint = made(server, read=lambda: SECRET)
    server.play(refused("invalid_client"))
    with pytest.raises(ClientRejected):
        CALLS[name](endpoint)
    assert secrets_of(server) == [SECRET]


@pytest.mark.parametrize("name", CALLS)
def test_secret_that_cannot_be_read_again_is_a_rejection_of_the_client(server, name):
    def fail():
        raise ConfigurationError({"COGNITO_CLIENT_SECRET": "cannot be read"})

    endpoint = made(server, read=fail)
    server.play(refused("invalid_client"), granted())
    with pytest.raises(ClientRejected):
        CALLS[name](endpoint)
    CALLS[name](endpoint)
    assert secrets_of(server) == [SECRET, SECRET]


@pytest.mark.parametrize("error", ["invalid_grant", "unauthorized_client", "invalid_request"])
@pytest.mark.parametrize("name", CALLS)
def test_other_refusals_do_not_read_the_secret(server, name, error):
    endpoint = made(server, read=lambda: pytest.fail("the secret was read"))
    server.play(refused(error))
    with pytest.raises(TokenEndpointError, match=error):
        CALLS[name](endpoint)


@pytest.mark.parametrize("name", ["refresh", "revoke"])
def test_repeated_call_does_not_exceed_its_timeout(server, name):
    """Another process takes over a refresh that lasts longer."""
    now = [1000.0]

    def read():
        now[0] += 100
        return NEW_SECRET

    endpoint = made(server, read=read, clock=lambda: now[0])
    server.play(refused("invalid_client"))
    with pytest.raises(CognitoUnavailable, match="took too long"):
        getattr(endpoint, name)("the-refresh-token", timeout=60)
    server.play(granted())
    getattr(endpoint, name)("the-refresh-token")
    assert secrets_of(server) == [SECRET, NEW_SECRET]


def test_public_client_has_no_secret_to_read(server):
    server.play(refused("invalid_client"))
    with pytest.raises(ClientRejected):
        exchange(made(server, secret=""))
    assert len(server.received) == 1
