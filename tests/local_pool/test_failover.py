"""A replica of the pool in a second Region."""

import jwt
import pytest
import requests

from local_pool.errors import ConfigError, PoolError
from local_pool.testing import LocalPool

from .pages import Pages


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_replica_continues_live_sessions_with_the_issuer_of_its_region(app):
    original, _, replica = app.pool.issuers
    tokens = app.tokens()
    assert app.pool.do("failover on").startswith("the Region local-replica responds")
    refreshed = app.refresh(tokens["refresh_token"]).json()
    assert claims(refreshed["id_token"])["iss"] == claims(refreshed["access_token"])["iss"]
    assert claims(refreshed["access_token"])["iss"] == replica != original
    assert claims(refreshed["id_token"])["sub"] == claims(tokens["id_token"])["sub"]
    assert claims(app.tokens("grace")["access_token"])["iss"] == replica

    keys = requests.get(f"{replica}/.well-known/jwks.json", timeout=60).json()["keys"]
    assert jwt.get_unverified_header(refreshed["access_token"])["kid"] in {k["kid"] for k in keys}
    document = requests.get(f"{replica}/.well-known/openid-configuration", timeout=60).json()
    assert document["issuer"] == replica

    app.pool.do("failover off")
    again = app.refresh(tokens["refresh_token"]).json()
    assert claims(again["access_token"])["iss"] == original


def test_updated_issuer_is_the_same_in_both_regions(app):
    app.pool.do("issuer updated")
    app.pool.do("failover on")
    assert claims(app.tokens()["access_token"])["iss"] == app.pool.issuers[1]


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("AdminCreateUser", {"Username": "zoe"}),
        ("AdminDeleteUser", {"Username": "ada"}),
        ("AdminDisableUser", {"Username": "ada"}),
        ("AdminAddUserToGroup", {"Username": "ada", "GroupName": "editors"}),
        ("AdminRemoveUserFromGroup", {"Username": "ada", "GroupName": "admins"}),
        ("AdminUpdateUserAttributes", {"Username": "ada", "UserAttributes": []}),
        ("UpdateUserPool", {"IssuerConfiguration": {"Type": "UPDATED"}}),
    ],
)
def test_replica_refuses_to_write(app, operation, body):
    before = app.api("AdminGetUser", Username="ada").json()
    app.pool.do("failover on")
    response = app.api(operation, **body)
    assert response.status_code == 400
    assert response.json()["__type"] == "OperationNotEnabledException"
    assert app.api("AdminGetUser", Username="ada").json() == before
    app.pool.do("failover off")
    assert app.api(operation, **body).status_code == 200


def test_replica_reads_and_signs_out(app):
    tokens = app.tokens(scope="openid aws.cognito.signin.user.admin")
    app.pool.do("failover on")
    assert len(app.api("ListUsers").json()["Users"]) == 3
    assert app.api("GetUser", AccessToken=tokens["access_token"]).status_code == 200
    assert app.api("AdminUserGlobalSignOut", Username="ada").status_code == 200
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_pages_of_a_replica_refuse_sign_up_and_new_passwords(app):
    app.pool.do("failover on")
    pages = Pages(app.authorize_url())
    pages.follow("Create account")
    email = {"requiredAttributes[email]": "mary@example.com"}
    assert pages.submit("/signup", username="mary", password="Cognito-demo-2", **email) is None
    assert pages.alert == "This operation is not enabled in a secondary Region."
    forgot = Pages(app.authorize_url())
    forgot.follow("Forgot your password\\?")
    assert forgot.submit("/forgotPassword", username="ada") is None
    assert forgot.alert == "This operation is not enabled in a secondary Region."
    assert app.pool.mailbox == []


def test_replicas_are_listed(app):
    replicas = app.api("ListUserPoolReplicas").json()["UserPoolReplicas"]
    assert [(r["RegionName"], r["Role"], r["Status"]) for r in replicas] == [
        ("local-1", "PRIMARY", "ACTIVE"),
        ("local-replica", "SECONDARY", "ACTIVE"),
    ]


def test_wrong_region_and_wrong_word_are_refused(app):
    for region in ("local-1", "", "Local 2"):
        with pytest.raises(ConfigError, match="POOL_REPLICA_REGION"):
            LocalPool(replica_region=region)
    with pytest.raises(PoolError, match="Usage: failover"):
        app.pool.do("failover maybe")
