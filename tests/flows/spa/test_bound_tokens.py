"""Tokens that the local pool binds to a resource (RFC 8707), over HTTP."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import requests
from django.utils import timezone

from accounts.cognito.authorization import code_challenge
from accounts.models import SignIn
from accounts.provider import provider
from tests.flows.conftest import query_of
from tests.local_pool.contract.target import unverified_claims

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = "https://other.example.com"
VERIFIER = "v" * 43


@pytest.fixture
def pool_settings():
    return {"scopes": ["openid", "email", "profile", "stats/read"]}


@pytest.fixture
def code_for(site, pool, spa_origin):
    """A function that signs in for a resource, and returns the form of the code exchange."""

    def code_for(resource, client_id=None, **parameters):
        query = {
            "client_id": client_id or pool.client_id,
            "response_type": "code",
            "redirect_uri": f"{spa_origin}/signin",
            "resource": resource,
            "code_challenge": code_challenge(VERIFIER),
            "code_challenge_method": "S256",
            **parameters,
        }
        callback = pool.sign_in(f"{pool.url}/oauth2/authorize?{urlencode(query)}", "linus")
        return {
            "grant_type": "authorization_code",
            "code": query_of(callback)["code"],
            "redirect_uri": query["redirect_uri"],
            "code_verifier": VERIFIER,
            "client_id": query["client_id"],
        }

    return code_for


@pytest.fixture
def exchange(site, code_for):
    """A function that lets the API exchange a code for this resource."""

    def exchange(resource):
        form = code_for(resource)
        body = {
            "code": form["code"],
            "redirectUri": form["redirect_uri"],
            "codeVerifier": form["code_verifier"],
        }
        return requests.post(f"{site}/api/auth/get-tokens", json=body, timeout=60)

    return exchange


def get_user(site, access_token, **headers):
    headers["Authorization"] = f"Bearer {access_token}"
    return requests.get(f"{site}/api/user", headers=headers, timeout=60)


def test_token_bound_to_this_site_is_accepted(site, exchange):
    access_token = exchange(site).json()["accessToken"]
    assert unverified_claims(access_token)["aud"] == site
    assert get_user(site, access_token).status_code == 200


def test_code_for_another_resource_is_refused_by_name(exchange, caplog):
    response = exchange(OTHER)
    assert (response.status_code, response.json()["code"]) == (400, "wrong_resource")
    assert OTHER in response.json()["detail"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_refreshed_token_is_bound_as_before(site, pool, code_for):
    pool.clock.offset = -3700
    auth = (pool.client_id, pool.client_secret)
    form = code_for(f"{site}/")
    tokens = requests.post(f"{pool.url}/oauth2/token", form, auth=auth, timeout=60).json()
    pool.clock.offset = 0
    refresh = {"x-refresh-token": tokens["refresh_token"]}
    response = get_user(site, tokens["access_token"], **refresh)
    assert response.status_code == 200, response.json()
    refreshed = response.headers["X-Access-Token"]
    assert unverified_claims(refreshed)["aud"] == f"{site}/"
    assert get_user(site, refreshed).status_code == 200


def test_browser_stays_signed_in_with_a_bound_token(site, pool):
    with requests.Session() as browser:
        login = browser.get(f"{site}/accounts/login/", allow_redirects=False, timeout=60)
        start = f"{login.headers['Location']}&{urlencode({'resource': site})}"
        callback = pool.sign_in(start, "linus", session=browser)
        assert browser.get(callback, timeout=60).status_code == 200
        past = timezone.now() - timedelta(hours=1)
        SignIn.objects.update(access_expires_at=past, renew_at=past)
        assert browser.get(f"{site}/api/user", timeout=60).status_code == 200
    assert pool.counts()["token:refresh_token"] == 1
    assert SignIn.objects.get().access_expires_at > timezone.now()


def test_client_that_knows_only_the_url_finds_the_pool(site):
    """The steps of a client without configuration (RFC 9728 section 5)."""
    challenge = requests.get(f"{site}/api/user", timeout=60).headers["WWW-Authenticate"]
    url = re.search(r'resource_metadata="([^"]+)"', challenge)[1]
    document = requests.get(url, timeout=60).json()
    assert document["resource"] == site
    [issuer] = document["authorization_servers"]
    metadata = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=60).json()
    assert metadata["authorization_endpoint"] == provider().config.authorize_endpoint


@pytest.mark.parametrize(
    ("resource", "scope", "status"),
    [("site", "openid stats/read", 200), ("", "openid stats/read", 401), ("site", "openid", 401)],
)
def test_client_that_no_setting_lists_needs_a_resource_and_a_scope(
    site, pool, code_for, settings, resource, scope, status
):
    members = {"PUBLIC_CLIENT_ID": "", "UNLISTED_CLIENT_SCOPES": ["stats/read"]}
    settings.COGNITO = {**settings.COGNITO, **members}
    form = code_for(site if resource else "", pool.config.public_client_id, scope=scope)
    tokens = requests.post(f"{pool.url}/oauth2/token", form, timeout=60).json()
    response = get_user(site, tokens["access_token"])
    assert response.status_code == status, response.json()
    if status == 200:
        assert response.json()["data"]["scopes"] == ["stats/read"]
