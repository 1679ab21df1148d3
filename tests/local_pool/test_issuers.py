"""The two spellings of the pool's issuer, and the switch between them."""

import jwt
import pytest
import requests

from local_pool import commands
from local_pool.errors import ConfigError, PoolError
from local_pool.testing import LocalPool

from .conftest import App


def issuer_of(tokens):
    claims = [
        jwt.decode(tokens[name], options={"verify_signature": False})
        for name in ("access_token", "id_token")
    ]
    assert claims[0]["iss"] == claims[1]["iss"]
    return claims[0]["iss"]


def get(issuer, name):
    return requests.get(f"{issuer}/.well-known/{name}", timeout=60)


def test_live_session_continues_after_the_issuer_is_switched(app):
    original, updated, _ = app.pool.issuers
    tokens = app.tokens()
    assert issuer_of(tokens) == original
    assert app.pool.do("issuer updated") == f"new tokens have the issuer {updated}"

    refreshed = app.refresh(tokens["refresh_token"]).json()
    assert issuer_of(refreshed) == updated
    keys = {key["kid"]: key for key in get(updated, "jwks.json").json()["keys"]}
    kid = jwt.get_unverified_header(refreshed["access_token"])["kid"]
    jwt.decode(refreshed["access_token"], jwt.PyJWK(keys[kid]), algorithms=["RS256"])
    for access_token in (tokens["access_token"], refreshed["access_token"]):
        assert app.user_info(access_token).status_code == 200

    app.pool.do("issuer original")
    assert issuer_of(app.refresh(tokens["refresh_token"]).json()) == original


def test_both_bases_have_a_discovery_document_of_their_own_and_one_key_set(app):
    original, updated, _ = app.pool.issuers
    app.pool.do("issuer updated")
    for issuer in (original, updated):
        document = get(issuer, "openid-configuration").json()
        assert document["issuer"] == issuer
        assert document["jwks_uri"] == f"{issuer}/.well-known/jwks.json"
        assert document["token_endpoint"] == f"{app.pool.url}/oauth2/token"
    assert get(original, "jwks.json").json() == get(updated, "jwks.json").json()


@pytest.mark.parametrize("name", ["openid-configuration", "jwks.json"])
def test_updated_base_is_forbidden_until_it_is_enabled(app, name):
    response = get(app.pool.issuers[1], name)
    assert (response.status_code, response.text) == (403, "")
    assert get(f"{app.pool.url}/another-base/{app.pool.pool_id}", name).status_code == 404
    app.pool.do("issuer both")
    assert get(app.pool.issuers[1], name).status_code == 200


def test_during_a_switch_tokens_have_one_issuer_or_the_other(app):
    app.pool.do("issuer both")
    refresh_token = app.tokens()["refresh_token"]
    issuers = [issuer_of(app.refresh(refresh_token).json()) for _ in range(4)]
    assert issuers == [*app.pool.issuers[1::-1]] * 2
    machine = [app.pool.machine_token() for _ in range(2)]
    found = {jwt.decode(t, options={"verify_signature": False})["iss"] for t in machine}
    assert found == set(app.pool.issuers[:2])


def test_issuer_type_is_described_and_updated_by_the_api(app):
    def described():
        return app.api("DescribeUserPool").json()["UserPool"]["IssuerConfiguration"]

    assert described() == {"Type": "ORIGINAL"}
    assert app.api("UpdateUserPool", IssuerConfiguration={"Type": "UPDATED"}).json() == {}
    assert described() == {"Type": "UPDATED"}
    assert issuer_of(app.tokens()) == app.pool.issuers[1]
    app.pool.do("heal")
    assert described() == {"Type": "ORIGINAL"}


@pytest.mark.parametrize(
    "body",
    [
        {"IssuerConfiguration": {"Type": "BOTH"}},
        {"IssuerConfiguration": {}},
        {"IssuerConfiguration": {"Type": "UPDATED"}, "DeletionProtection": "ACTIVE"},
    ],
)
def test_wrong_update_of_the_pool_changes_nothing(app, body):
    response = app.api("UpdateUserPool", **body)
    assert response.json()["__type"] == "InvalidParameterException"
    assert issuer_of(app.tokens()) == app.pool.issuers[0]


def test_issuer_type_is_a_setting_and_a_wrong_one_is_refused(app):
    with LocalPool(issuer_type="updated") as pool:
        assert pool.issuer == pool.issuers[1]
        assert pool.env()["COGNITO_ISSUER"].split(",") == [
            pool.issuer,
            pool.issuers[0],
            pool.issuers[2],
        ]
        assert issuer_of(App(pool).tokens()) == pool.issuer
    with pytest.raises(ConfigError, match="POOL_ISSUER_TYPE"):
        LocalPool(issuer_type="new")
    with pytest.raises(PoolError, match="Usage: issuer"):
        commands.run(app.pool.pool, "issuer new")
