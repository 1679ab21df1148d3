import json

import pytest
from jsonschema import Draft202012Validator

from accounts.provider import provider


@pytest.fixture
def document(client):
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    return json.loads(answer.content)


def test_document_is_openapi_3_1(document):
    assert document["openapi"].startswith("3.1.")
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_document_describes_the_api_and_not_the_original_addresses(document):
    paths = set(document["paths"])
    assert {
        "/api/auth/get-tokens",
        "/api/user",
        "/api/stats",
        "/api/stats/{id}",
        "/api/info/server",
    } <= paths
    assert all(path.startswith("/api/") for path in paths)


def test_codes_are_documented_by_post_alone(document):
    assert set(document["paths"]["/api/auth/get-tokens"]) == {"post"}


@pytest.mark.parametrize("compat", [True, False])
def test_verifier_is_documented_as_the_server_requires_it(client, settings, compat):
    settings.SPA_COMPAT = compat
    schemas = json.loads(client.get("/openapi.json").content)["components"]["schemas"]
    assert ("codeVerifier" in schemas["Code"]["required"]) is not compat


def test_sign_in_is_an_authorization_code_at_the_pool(document):
    schemes = document["components"]["securitySchemes"]
    config = provider().config
    flow = schemes["Cognito"]["flows"]["authorizationCode"]
    assert flow["authorizationUrl"] == config.authorize_endpoint
    assert flow["tokenUrl"] == config.token_endpoint
    assert set(flow["scopes"]) == set(config.scopes)
    assert schemes["PastedAccessToken"]["scheme"] == "bearer"
    used = {name for each in document["paths"]["/api/user"]["get"]["security"] for name in each}
    assert used == {"Cognito", "PastedAccessToken", "Session"}


def test_public_endpoints_ask_for_nothing(document):
    for path, method in (("/api/info/server", "get"), ("/api/auth/get-tokens", "post")):
        security = document["paths"][path][method].get("security", [{}])
        assert security in ([], [{}])


@pytest.mark.parametrize("path", ["/docs", "/docs/oauth2-redirect"])
def test_pages_keep_their_opener_and_hold_nothing_inline(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Cross-Origin-Opener-Policy"] == "unsafe-none"
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert provider().config.domain in policy.split("connect-src", 1)[1].split(";")[0]
    assert "style=" not in answer.text
    assert "cdn" not in answer.text


def test_other_pages_stay_apart_from_their_opener(client):
    assert client.get("/").headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_without_a_public_client_the_page_says_so(client, settings):
    settings.COGNITO = {**settings.COGNITO, "PUBLIC_CLIENT_ID": ""}
    assert "COGNITO_PUBLIC_CLIENT_ID" in client.get("/docs").text
    settings.COGNITO = {**settings.COGNITO, "PUBLIC_CLIENT_ID": "2publicclient"}
    page = client.get("/docs").text
    assert "COGNITO_PUBLIC_CLIENT_ID" not in page
    assert "2publicclient" in page
