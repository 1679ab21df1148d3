import json

import pytest
from jsonschema import Draft202012Validator

from accounts.provider import provider


@pytest.fixture
def document(client):
    response = client.get("/openapi.json")
    assert response.status_code == 200
    return json.loads(response.content)


def test_document_is_openapi_3_1(document):
    assert document["openapi"].startswith("3.1.")
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_document_leaves_out_the_urls_of_the_original_stack(document):
    paths = set(document["paths"])
    assert {
        "/api/auth/get-tokens",
        "/api/user",
        "/api/stats",
        "/api/stats/{id}",
        "/api/info/server",
    } <= paths
    assert all(path.startswith("/api/") for path in paths)


def test_code_exchange_is_documented_for_post_only(document):
    assert set(document["paths"]["/api/auth/get-tokens"]) == {"post"}


@pytest.mark.parametrize("compat", [True, False])
def test_verifier_is_documented_as_the_server_requires_it(client, settings, compat):
    settings.SPA_COMPAT = compat
    schemas = json.loads(client.get("/openapi.json").content)["components"]["schemas"]
    assert ("codeVerifier" in schemas["Code"]["required"]) is not compat


def test_sign_in_uses_the_authorization_code_flow_of_the_pool(document):
    schemes = document["components"]["securitySchemes"]
    config = provider().config
    flow = schemes["Cognito"]["flows"]["authorizationCode"]
    assert flow["authorizationUrl"] == config.authorize_endpoint
    assert flow["tokenUrl"] == config.token_endpoint
    assert set(flow["scopes"]) == set(config.scopes)
    assert schemes["PastedAccessToken"]["scheme"] == "bearer"
    requirements = document["paths"]["/api/user"]["get"]["security"]
    assert {name for requirement in requirements for name in requirement} == {
        "Cognito",
        "PastedAccessToken",
        "Session",
    }


def test_public_endpoints_need_no_authorization(document):
    for path, method in (("/api/info/server", "get"), ("/api/auth/get-tokens", "post")):
        security = document["paths"][path][method].get("security", [{}])
        assert security in ([], [{}])


@pytest.mark.parametrize("path", ["/docs", "/docs/oauth2-redirect"])
def test_pages_allow_an_opener_and_hold_nothing_inline(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["Cross-Origin-Opener-Policy"] == "unsafe-none"
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert provider().config.domain in policy.split("connect-src", 1)[1].split(";")[0]
    assert "style=" not in response.text
    assert "cdn" not in response.text


def test_other_pages_are_isolated_from_their_opener(client):
    assert client.get("/").headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_missing_public_client_is_explained_on_the_page(client, settings):
    settings.COGNITO = {**settings.COGNITO, "PUBLIC_CLIENT_ID": ""}
    assert "COGNITO_PUBLIC_CLIENT_ID" in client.get("/docs").text
    settings.COGNITO = {**settings.COGNITO, "PUBLIC_CLIENT_ID": "2publicclient"}
    page = client.get("/docs").text
    assert "COGNITO_PUBLIC_CLIENT_ID" not in page
    assert "2publicclient" in page
