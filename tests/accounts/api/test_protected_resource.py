"""The metadata of the API as a protected resource, and the challenges that lead to it."""

import re

import pytest
from django.test import RequestFactory
from django.urls import set_script_prefix

from accounts.api.protected_resource import ProtectedResourceView, metadata_url
from accounts.provider import provider
from accounts.testing import mint_access_token

WELL_KNOWN = "/.well-known/oauth-protected-resource"
SITE = "http://localhost:8000"


@pytest.fixture
def use(settings):
    def use(**members):
        settings.COGNITO = {**settings.COGNITO, **members}

    return use


@pytest.fixture
def below():
    """A function that puts the site below a path of its host."""
    yield lambda path: set_script_prefix(f"{path}/")
    set_script_prefix("/")


def test_document_names_the_pool_as_authorization_server(client, settings):
    settings.SITE_NAME = "Harbour"
    response = client.get(WELL_KNOWN)
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {
        "resource": SITE,
        "authorization_servers": [provider().config.issuer],
        "scopes_supported": ["openid"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Harbour",
    }


def test_document_names_the_scopes_for_unlisted_clients_and_no_trusted_pool(client, use):
    trusted = {"eu-west-1_Partner01": {"clients": ["2partnerclient"]}}
    use(UNLISTED_CLIENT_SCOPES=["reports/write", "reports/read"], TRUSTED_POOLS=trusted)
    document = client.get(WELL_KNOWN).json()
    assert document["scopes_supported"] == ["openid", "reports/read", "reports/write"]
    assert document["authorization_servers"] == [provider().config.issuer]


def test_document_is_public_for_scripts_and_caches(client):
    response = client.get(WELL_KNOWN, headers={"Origin": "https://agent.example.com"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "public, max-age=3600"
    assert not response.cookies
    preflight = client.options(
        WELL_KNOWN,
        headers={
            "Origin": "https://agent.example.com",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "mcp-protocol-version",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert preflight.headers["Access-Control-Allow-Headers"] == "*"
    assert client.post(WELL_KNOWN).status_code == 405


@pytest.mark.django_db
def test_document_needs_no_login(client, settings):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    assert client.get(WELL_KNOWN).status_code == 200


@pytest.mark.parametrize(
    ("suffix", "resource"),
    [
        ("", SITE),
        ("/", SITE),
        ("/mcp", f"{SITE}/mcp"),
        ("/mcp/", None),
        ("/mcp/more", None),
        ("/nosuch", None),
        ("x", None),
        ("//other.example.com", None),
    ],
)
def test_each_resource_of_this_host_has_a_document_at_its_path(client, use, suffix, resource):
    use(RESOURCES=[f"{SITE}/mcp", "https://other.example.com/nosuch", "figures"])
    response = client.get(WELL_KNOWN + suffix)
    if resource is None:
        assert response.status_code == 404
    else:
        assert response.json()["resource"] == resource


@pytest.mark.parametrize(
    ("prefix", "path", "resources", "suffix"),
    [
        ("", "/api/user", [], ""),
        ("", "/api/user", ["/api"], "/api"),
        ("", "/api", ["/api"], "/api"),
        ("", "/api/user", ["/api/"], "/api/"),
        ("", "/apix", ["/api"], ""),
        ("/prod", "/prod/api/user", [], ""),
        ("/prod", "/prod/api/user", ["/prod"], ""),
        ("/prod", "/prod/api/user", ["/prod", "/prod/api"], "/api"),
        ("/a/b", "/a/b/api/user", ["/a"], "/a"),
    ],
)
def test_challenge_leads_to_the_document_of_the_resource(
    use, below, prefix, path, resources, suffix
):
    use(RESOURCES=[SITE + resource for resource in resources])
    below(prefix)
    url = metadata_url(path)
    assert url == SITE + prefix + WELL_KNOWN + suffix
    view = ProtectedResourceView.as_view()
    response = view(RequestFactory().get(url), suffix=suffix)
    covering = [r for r in resources if f"{path}/".startswith(f"{r.rstrip('/')}/")]
    expected = SITE + max(["", *covering], key=len)
    assert f'"resource": "{expected}"'.encode() in response.content


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/user", "/api/stats", "/user", "/stats"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer junk"},
        {"Authorization": "Bearer"},
        {"x-access-token": "junk"},
        {"Authorization": "Basic YTpi"},
    ],
    ids=str,
)
def test_each_401_of_the_api_leads_to_the_document(client, cognito, path, headers):
    response = client.get(path, headers=headers)
    assert response.status_code == 401
    challenge = response.headers["WWW-Authenticate"]
    url = re.search(r'resource_metadata="([^"]+)"', challenge)[1]
    assert client.get(url.removeprefix(SITE)).json()["resource"] == SITE
    assert {"detail", "code", "error"} <= response.json().keys()


@pytest.mark.django_db
def test_host_header_is_not_in_the_challenge(client, cognito):
    token = mint_access_token(expired=True)
    headers = {"Authorization": f"Bearer {token}", "Host": "127.0.0.1:8000"}
    assert (
        f'resource_metadata="{SITE}/'
        in client.get("/api/user", headers=headers).headers["WWW-Authenticate"]
    )
