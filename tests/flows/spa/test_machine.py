"""Machine clients, over HTTP with the local pool."""

import pytest
import requests
from django.contrib.auth import get_user_model

pytestmark = pytest.mark.django_db(transaction=True)


def ask(site, access_token, path):
    headers = {"Authorization": f"Bearer {access_token}"}
    return requests.get(site + path, headers=headers, timeout=60)


def test_scope_permits_figures_and_creates_no_user(site, pool):
    response = ask(site, pool.machine_token("stats/read"), "/api/stats")
    assert response.status_code == 200
    assert not get_user_model().objects.exists()


def test_missing_scope_is_named(site, pool):
    response = ask(site, pool.machine_token("stats/write"), "/api/stats")
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")
    assert "stats/read" in response.headers["WWW-Authenticate"]


def test_principal_is_the_client(site, pool):
    identity = ask(site, pool.machine_token(), "/api/user").json()["identity"]
    client_id = pool.config.machine_client_id
    assert identity == {"sub": client_id, "userName": None, "clientId": client_id}
