"""The operations for one's own sessions, with a scripted server."""

import json
from datetime import UTC, datetime

import pytest

from accounts.cognito.client_secret import ClientSecret
from accounts.cognito.config import CognitoConfig
from accounts.cognito.errors import CognitoUnavailable, GrantRejected, RequestRejected
from accounts.cognito.token_endpoint import TokenEndpoint
from accounts.cognito.transport import Transport
from accounts.cognito.user_sessions import SessionApi, UserSession, parse_sessions
from tests.cognito.keys import CLIENT_ID, POOL_ID
from tests.cognito.loopback import respond

SECRET = "raw/secret+with=signs"
BROWSER, TOKEN = "sso" + "a" * 25, "tkn" + "b" * 25
LISTED = {
    "Sessions": [
        {
            "SessionId": TOKEN,
            "SessionType": "TOKEN",
            "ClientId": CLIENT_ID,
            "CreateDate": 1_790_000_000,
            "LastActiveDate": 1_790_000_600.5,
            "DeviceType": "unknown",
            "LastIPAddress": "192.0.2.1",
            "LastLocation": {"City": None, "Country": "Germany"},
            "OriginSessionId": BROWSER,
            "IsCurrentSession": True,
        },
        {
            "SessionId": BROWSER,
            "SessionType": "SSO",
            "DeviceType": "Firefox on Linux",
            "LastLocation": {"City": "Berlin", "Country": "Germany"},
        },
    ]
}


def config_of(server, **changes):
    values = {"custom_issuers": (f"{server.url}/{POOL_ID}",), "client_secret": SECRET, **changes}
    return CognitoConfig(pool_id=POOL_ID, client_id=CLIENT_ID, domain=server.url, **values)


@pytest.fixture
def api(server):
    return SessionApi(config_of(server), Transport(sleep=lambda seconds: None))


def responds(body, status=200):
    return respond(status, json.dumps(body).encode())


def test_sessions_are_listed_with_the_users_own_token(api, server):
    server.play(responds(LISTED))
    token, browser = api.list_sessions("the-access-token", timeout=60)
    assert token == UserSession(
        session_id=TOKEN,
        is_browser=False,
        client_id=CLIENT_ID,
        ip_address="192.0.2.1",
        place="Germany",
        last_active_at=datetime.fromtimestamp(1_790_000_600.5, UTC),
        origin=BROWSER,
        is_current=True,
    )
    assert (browser.is_browser, browser.place, browser.device) == (
        True,
        "Berlin, Germany",
        "Firefox on Linux",
    )
    [request] = server.received
    assert request.headers["X-Amz-Target"] == "AWSCognitoIdentityProviderService.ListUserSessions"
    assert request.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert json.loads(request.body) == {"AccessToken": "the-access-token"}
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Sessions": None},
        {"Sessions": [None, 5, "x", {}, {"SessionId": 5}, {"SessionId": ""}]},
    ],
)
def test_malformed_sessions_are_left_out(body):
    assert parse_sessions(body) == []


@pytest.mark.parametrize("time", [None, "today", float("nan"), 1e300, [], True])
def test_malformed_members_are_empty(time):
    item = {"SessionId": TOKEN, "LastActiveDate": time, "LastLocation": "Berlin", "ClientId": 5}
    [session] = parse_sessions({"Sessions": [item]})
    assert (session.place, session.client_id) == ("", "")
    assert session.last_active_at is None or time is True


def test_no_more_sessions_are_read_than_cognito_returns():
    assert len(parse_sessions({"Sessions": [{"SessionId": TOKEN}] * 1000})) == 125


def test_revocations_are_linked(api, server):
    api.revoke_session("the-access-token", BROWSER, timeout=60)
    api.revoke_token("the-refresh-token", client_secret=SECRET)
    session, token = (json.loads(request.body) for request in server.received)
    assert session == {
        "AccessToken": "the-access-token",
        "SessionId": BROWSER,
        "RevokeAssociatedSessions": "LINKED",
    }
    assert token == {
        "Token": "the-refresh-token",
        "ClientId": CLIENT_ID,
        "ClientSecret": SECRET,
        "RevokeAssociatedSessions": "LINKED",
    }


def test_public_client_sends_no_secret(api, server):
    api.revoke_token("the-refresh-token")
    assert "ClientSecret" not in json.loads(server.received[0].body)


@pytest.mark.parametrize("name", ["NotAuthorizedException", "aws.cognito#NotAuthorizedException"])
def test_refusal_names_the_exception_and_no_token(api, server, name):
    server.play(responds({"__type": name, "message": "the-access-token"}, 400))
    with pytest.raises(RequestRejected, match="NotAuthorizedException") as error:
        api.list_sessions("the-access-token", timeout=60)
    assert error.value.data["error"] == "NotAuthorizedException"
    assert "the-access-token" not in repr(error.value)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"__type": "TooManyRequestsException"}),
        (403, {"message": "Forbidden"}),
        (404, {"__type": 5}),
        (429, {}),
        (503, {}),
    ],
)
def test_response_without_an_exception_of_cognito_is_unavailable(api, server, status, body):
    server.play(responds(body, status))
    with pytest.raises(CognitoUnavailable):
        api.list_sessions("the-access-token", timeout=60)


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("", "https://cognito-idp.eu-west-1.amazonaws.com/"),
        (
            "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123",
            "https://cognito-idp.eu-west-1.amazonaws.com/",
        ),
        ("http://localhost:9000/eu-west-1_AbCdEf123", "http://localhost:9000/"),
        ("https://pool.example.com/eu-west-1_AbCdEf123", "https://pool.example.com/"),
        ("https://evil.example/.amazonaws.com", "https://evil.example/"),
    ],
)
def test_url_of_the_api_is_that_of_the_region_or_of_a_custom_issuer(issuer, url):
    config = CognitoConfig(
        pool_id="eu-west-1_AbCdEf123",
        client_id=CLIENT_ID,
        client_secret=SECRET,
        domain="my-team",
        custom_issuers=(issuer,) if issuer else (),
    )
    assert config.api_url == url


# TokenEndpoint.revoke


def endpoint_of(server, read=None):
    transport = Transport(sleep=lambda seconds: None)
    return TokenEndpoint(config_of(server), transport, ClientSecret(SECRET, read))


def test_linked_revocation_makes_one_call(server):
    endpoint_of(server).revoke("the-refresh-token", linked=True)
    [request] = server.received
    assert request.path == "/"
    assert json.loads(request.body)["RevokeAssociatedSessions"] == "LINKED"


@pytest.mark.parametrize(
    "name", ["InvalidParameterException", "UnknownOperationException", "UnauthorizedException"]
)
def test_token_is_revoked_alone_if_the_linked_revocation_is_refused(server, name):
    server.play(responds({"__type": name}, 400), respond(body=b""))
    endpoint_of(server).revoke("the-refresh-token", linked=True)
    assert [request.path for request in server.received] == ["/", "/oauth2/revoke"]
    assert server.received[1].form == {"token": "the-refresh-token"}


def test_linked_revocation_uses_a_secret_that_changed(server):
    server.play(responds({"__type": "NotAuthorizedException"}, 400), responds({}))
    endpoint_of(server, lambda: "the-new-secret").revoke("the-refresh-token", linked=True)
    secrets = [json.loads(request.body)["ClientSecret"] for request in server.received]
    assert secrets == [SECRET, "the-new-secret"]


def test_refusal_for_another_reason_does_not_read_the_secret_again(server):
    def read():
        pytest.fail("the secret was read")

    server.play(responds({"__type": "InvalidParameterException"}, 400), respond(body=b""))
    endpoint_of(server, read).revoke("the-refresh-token", linked=True)


def test_unavailable_api_does_not_revoke_the_token_alone(server):
    server.play(respond(503))
    with pytest.raises(CognitoUnavailable):
        endpoint_of(server).revoke("the-refresh-token", linked=True)
    assert {request.path for request in server.received} == {"/"}


def test_unlinked_revocation_does_not_use_the_api(server):
    endpoint_of(server).revoke("the-refresh-token")
    assert [request.path for request in server.received] == ["/oauth2/revoke"]
    with pytest.raises((RequestRejected, GrantRejected)):
        endpoint_of(server).revoke("with space", linked=True)
