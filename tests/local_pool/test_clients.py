"""Stock Python clients against the pool, configured as for Cognito: boto3 and Authlib."""

import boto3
import pytest
from authlib.integrations.requests_client import OAuth2Session

from .api_client import PASSWORD
from .conftest import CALLBACK
from .srp_client import SrpClient


@pytest.fixture
def cognito(pool):
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    return boto3.client("cognito-idp", endpoint_url=pool.url, region_name="local-1", **keys)


def test_boto3_signs_in_with_srp(pool, cognito):
    srp, client_id = SrpClient(pool.pool_id), pool.config.public_client_id
    step = cognito.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": "ada", "SRP_A": f"{srp.public:x}"},
    )
    tokens = cognito.respond_to_auth_challenge(
        ClientId=client_id,
        ChallengeName=step["ChallengeName"],
        ChallengeResponses=srp.answer(step["ChallengeParameters"], PASSWORD),
    )["AuthenticationResult"]
    assert cognito.get_user(AccessToken=tokens["AccessToken"])["Username"] == "ada"
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        cognito.get_user(AccessToken="a.b.c")


def test_boto3_reads_lists_page_by_page_and_times(pool, cognito):
    pages = cognito.get_paginator("list_users").paginate(
        UserPoolId=pool.pool_id, PaginationConfig={"PageSize": 2}
    )
    users = [user for page in pages for user in page["Users"]]
    assert [user["Username"] for user in users] == ["ada", "grace", "linus"]
    assert abs(users[0]["UserCreateDate"].timestamp() - pool.pool.clock()) < 3600
    cognito.admin_delete_user(UserPoolId=pool.pool_id, Username="linus")
    with pytest.raises(cognito.exceptions.UserNotFoundException):
        cognito.admin_get_user(UserPoolId=pool.pool_id, Username="linus")


def test_authlib_signs_in_refreshes_and_revokes(pool):
    session = OAuth2Session(
        pool.client_id,
        pool.client_secret,
        scope="openid email",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    verifier = "v" * 48
    url, state = session.create_authorization_url(
        f"{pool.url}/oauth2/authorize", code_verifier=verifier
    )
    endpoint = f"{pool.url}/oauth2/token"
    callback = pool.sign_in(url, "ada")
    tokens = session.fetch_token(
        endpoint, authorization_response=callback, state=state, code_verifier=verifier
    )
    assert session.get(f"{pool.url}/oauth2/userInfo").json()["email"] == "ada@example.com"
    renewed = session.refresh_token(endpoint, refresh_token=tokens["refresh_token"])
    assert renewed["access_token"] != tokens["access_token"]
    token = tokens["refresh_token"]
    revoked = session.revoke_token(f"{pool.url}/oauth2/revoke", token=token)
    assert revoked.status_code == 200
