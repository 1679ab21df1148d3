"""A site accepts all issuers of its pool, before, during and after a switch."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.cognito.errors import CognitoUnavailable
from accounts.models import Identity, SignIn
from accounts.testing import mint_access_token
from accounts.testing.tokens import key_set

pytestmark = pytest.mark.django_db

POOL_ID = "eu-west-1_AbCdEf123"
ORIGINAL = f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL_ID}"
UPDATED = f"https://issuer-cognito-idp.eu-west-1.amazonaws.com/{POOL_ID}"


@pytest.fixture
def pool(settings):
    def use(**members):
        defaults = {"POOL_ID": POOL_ID, "CLIENT_DOMAIN": "my-team", "ISSUER": "", "JWKS_URL": ""}
        settings.COGNITO = {**settings.COGNITO, **defaults, **members}

    use()
    return use


def status(cognito_client, issuer):
    client = cognito_client.anonymous()
    client.bear(mint_access_token("ada", claims={"iss": issuer}))
    return client.get("/api/user").status_code


def expire_access_tokens():
    past = timezone.now() - timedelta(hours=1)
    SignIn.objects.update(access_expires_at=past, renew_at=past)


def test_tokens_of_both_issuers_are_of_the_same_user(pool, cognito_client, cognito):
    assert status(cognito_client, ORIGINAL) == 200
    assert cognito.calls == ["keys"]
    assert status(cognito_client, UPDATED) == 200
    assert status(cognito_client, UPDATED) == 200
    assert cognito.calls == ["keys", "keys"]  # the second key set, when the first token names it
    assert Identity.objects.count() == 1


def test_sessions_continue_after_the_switch_and_back(pool, cognito_client, cognito):
    client = cognito_client("ada", bearer=False)
    for issuer in (UPDATED, ORIGINAL):
        cognito.issuer = issuer
        expire_access_tokens()
        assert client.get("/profile/").status_code == 200
    assert Identity.objects.count() == 1
    assert cognito.calls.count("refresh_token") == 2


def test_issuer_that_the_pool_does_not_use_is_refused_and_is_not_an_outage(
    pool, cognito_client, cognito, monkeypatch
):
    def get(url, *, timeout=None):
        if url.startswith(UPDATED):
            raise CognitoUnavailable("Cognito responded with 403", status=403)
        return key_set(ORIGINAL)

    monkeypatch.setattr(cognito, "get", get)
    client = cognito_client.anonymous()
    client.bear(mint_access_token("ada", claims={"iss": UPDATED}))
    response = client.get("/api/user")
    assert (response.status_code, response.json()["code"]) == (401, "wrong_issuer")
    assert status(cognito_client, ORIGINAL) == 200


def test_key_set_url_is_downloaded_once_for_all_issuers(pool, cognito_client, cognito):
    pool(JWKS_URL="http://localhost:4566/keys")
    assert status(cognito_client, ORIGINAL) == 200
    assert status(cognito_client, UPDATED) == 200
    assert cognito.calls == ["keys"]


def test_snapshot_is_the_key_set_of_the_preferred_issuer(pool, cognito_client, cognito, tmp_path):
    snapshot = tmp_path / "jwks.json"
    snapshot.write_bytes(key_set(UPDATED))
    pool(ISSUER=UPDATED, JWKS_SNAPSHOT=snapshot, FROZEN_BETWEEN_REQUESTS=True)
    cognito.down = True
    assert status(cognito_client, UPDATED) == 200
    assert status(cognito_client, ORIGINAL) == 503
