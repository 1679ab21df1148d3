import difflib
import json
import re

import pytest
from django.urls import set_script_prefix
from jsonschema import Draft202012Validator

from accounts.provider import provider
from sso_project import urls
from tests import openapi_document
from tests.imports import ROOT

assert urls.api  # loaded before a test changes SPA_COMPAT, on which the URLs depend


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


def test_code_exchange_by_get_is_deprecated(document):
    operations = document["paths"]["/api/auth/get-tokens"]
    assert {method: item.get("deprecated", False) for method, item in operations.items()} == {
        "get": True,
        "post": False,
    }


@pytest.mark.parametrize("compat", [True, False])
def test_verifier_is_documented_as_the_server_requires_it(client, settings, compat):
    settings.SPA_COMPAT = compat
    schemas = json.loads(client.get("/openapi.json").content)["components"]["schemas"]
    assert ("codeVerifier" in schemas["CodeRequest"]["required"]) is not compat


def test_sign_in_uses_the_authorization_code_flow_of_the_pool(document):
    schemes = document["components"]["securitySchemes"]
    config = provider().config
    flow = schemes["Cognito"]["flows"]["authorizationCode"]
    assert flow["authorizationUrl"] == config.authorize_endpoint
    assert flow["tokenUrl"] == config.token_endpoint
    assert set(flow["scopes"]) == set(config.scopes)
    assert schemes["PastedAccessToken"]["scheme"] == "bearer"


@pytest.mark.parametrize("compat", [True, False])
def test_ways_to_authenticate_are_alternatives(client, settings, compat):
    settings.SPA_COMPAT = compat
    document = json.loads(client.get("/openapi.json").content)
    header = [{"XAccessToken": []}] if compat else []
    everyone = [{"Cognito": []}, {"PastedAccessToken": []}, *header, {"Session": []}]
    assert document["paths"]["/api/user"]["get"]["security"] == everyone
    writing = document["paths"]["/api/stats"]["post"]["security"]
    assert writing == [*everyone, {"Machine": ["stats/write"]}]
    machine = document["components"]["securitySchemes"]["Machine"]["flows"]["clientCredentials"]
    assert set(machine["scopes"]) == {"stats/read", "stats/write"}
    assert ("XAccessToken" in document["components"]["securitySchemes"]) is compat


def test_public_endpoints_need_no_authorization(document):
    for path, method in (("/api/info/server", "get"), ("/api/auth/get-tokens", "post")):
        assert document["paths"][path][method]["security"] == []


def test_every_code_of_the_request_guard_is_documented(document):
    sources = "".join(file.read_text() for file in (ROOT / "sso_project").glob("request_*.py"))
    refusals = set(re.findall(r'Refusal\(\s*(\d+),\s*"(\w+)"', sources))
    assert refusals
    for operations in document["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            assert [
                (status, code)
                for status, code in refusals
                if code not in responses[status]["x-error-codes"]
            ] == []


def test_document_has_no_unused_component(document):
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text


def test_document_leads_to_the_site_below_a_stage(client):
    assert json.loads(client.get("/openapi.json").content)["servers"] == [{"url": "/"}]
    set_script_prefix("/prod/")
    below = client.get("/openapi.json")
    assert json.loads(below.content)["servers"] == [{"url": "/prod"}]


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


def test_committed_document_is_current():
    stored, current = openapi_document.FILE.read_text(encoding="utf-8"), openapi_document.current()
    difference = difflib.unified_diff(
        stored.splitlines(), current.splitlines(), "docs/openapi.json", "the code", lineterm=""
    )
    lines = list(difference)
    assert not lines, "\n".join(
        [
            "The API document changed. If that is what you want, add it to CHANGELOG.md and run",
            "    .venv/bin/python -m tests.openapi_document",
            *lines[:200],
        ]
    )
