"""Dynamic client registration: who may register, what a client gets, and refusals."""

import pytest
import requests

from .conftest import CALLBACK, App
from .test_api import error

SCOPE = "aws.cognito/dcr/register"


@pytest.fixture
def app(make_local_pool) -> App:
    return App(make_local_pool(client_registration="open"))


def register(app: App, token: str = "", **metadata):
    body = {"redirect_uris": [CALLBACK], "client_name": "An agent"} | metadata
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.post(f"{app.pool.url}/oauth2/register", json=body, headers=headers, timeout=60)


@pytest.mark.parametrize("method", ["none", "client_secret_basic"])
def test_registered_client_signs_users_in(app, method):
    response = register(app, token_endpoint_auth_method=method)
    assert response.status_code == 201
    client = response.json()
    assert ("client_secret" in client) is (method != "none")
    assert client["scope"] == "openid email phone profile"
    url = {"client_id": client["client_id"], "scope": "openid email"}
    secret = client.get("client_secret")
    auth = (client["client_id"], secret) if secret else None
    public = {} if secret else {"client_id": client["client_id"]}
    app.pool.restart()
    assert app.redeem(app.code(**url), auth=auth, **public).status_code == 200
    described = app.api("DescribeUserPoolClient", ClientId=client["client_id"]).json()
    assert described["UserPoolClient"]["ClientType"] == "DCR"
    listed = app.api("ListUserPoolClients", ClientType="DCR").json()["UserPoolClients"]
    assert [c["ClientId"] for c in listed] == [client["client_id"]]
    assert error(app.api("AddUserPoolClientSecret", ClientId=client["client_id"]))


def test_registration_is_off_by_default(pool):
    assert register(App(pool)).status_code == 404
    issuer = f"{pool.issuer}/.well-known/openid-configuration"
    assert "registration_endpoint" not in requests.get(issuer, timeout=60).json()
    pool.do("register open")
    assert requests.get(issuer, timeout=60).json()["registration_endpoint"]


def test_caller_needs_a_token_with_the_scope(app):
    app.pool.do("register authenticated")
    body = {"AllowedOAuthFlows": ["client_credentials"], "GenerateSecret": True}
    body["AllowedOAuthFlowsUserPoolClient"] = True
    made = app.api(
        "CreateUserPoolClient", ClientName="registrar", AllowedOAuthScopes=[SCOPE], **body
    ).json()["UserPoolClient"]
    auth = (made["ClientId"], made["ClientSecret"])
    token = app.token(auth=auth, grant_type="client_credentials").json()["access_token"]
    assert register(app).status_code == 401
    assert register(app, app.pool.machine_token(scope="stats/read")).status_code == 403
    machine = {"grant_types": ["client_credentials"], "scope": "stats/read", "redirect_uris": []}
    client = register(app, token, **machine).json()
    auth = (client["client_id"], client["client_secret"])
    assert app.token(auth=auth, grant_type="client_credentials").status_code == 200


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://example.com/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": "text"}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"scope": SCOPE}, "invalid_client_metadata"),
        ({"scope": "unknown/scope"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    ],
)
def test_metadata_is_refused(app, metadata, expected):
    response = register(app, **metadata)
    assert response.status_code == 400
    assert response.json()["error"] == expected
