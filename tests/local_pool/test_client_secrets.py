"""The rotation of client secrets, and those that Secrets Manager keeps."""

import json

import pytest

from local_pool.errors import PoolError

from .conftest import App


def is_accepted(app: App, secret: str) -> bool:
    response = app.token(auth=(app.pool.client_id, secret), grant_type="refresh_token")
    return response.json()["error"] != "invalid_client"


def read_secret(app: App) -> str:
    arn = app.api("DescribeUserPoolClient", ClientId=app.pool.client_id).json()["UserPoolClient"][
        "ClientSecretArn"
    ]
    assert arn == app.pool.client_secret_arn
    value = app.api("GetSecretValue", service="secretsmanager", SecretId=arn).json()
    assert value["VersionStages"] == ["AWSCURRENT"]
    content = json.loads(value["SecretString"])
    assert content["userPoolId"] == app.pool.pool_id
    assert content["userPoolClientId"] == app.pool.client_id
    return content["clientSecretValue"]


def test_newest_two_secrets_are_valid_after_each_rotation(app):
    secrets = [app.pool.client_secret]
    for _ in range(3):
        assert "has a new secret" in app.pool.do("rotate-secret")
        secrets.append(read_secret(app))
        assert secrets[-1] == app.pool.client_secret
        assert [is_accepted(app, secret) for secret in secrets][-2:] == [True, True]
        assert not any(is_accepted(app, secret) for secret in secrets[:-2])
    app.pool.do("drop-old-secret")
    assert [is_accepted(app, secret) for secret in secrets] == [False, False, False, True]


def test_old_secret_is_valid_for_a_time_or_not_at_all(app):
    first = app.pool.client_secret
    app.pool.do("rotate-secret --old-for 60s")
    second = read_secret(app)
    app.pool.clock.advance(59)
    assert is_accepted(app, first)
    app.pool.clock.advance(1)
    assert not is_accepted(app, first)
    app.pool.do("rotate-secret web --drop-old")
    assert not is_accepted(app, second)
    assert is_accepted(app, read_secret(app))


def test_rotated_secrets_survive_a_restart_and_live_sessions_continue(app):
    tokens = app.tokens()
    app.pool.do("rotate-secret --drop-old")
    secret = app.pool.client_secret
    app.pool.restart()
    assert app.pool.client_secret == secret
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    app.pool.do("reset")
    assert app.pool.client_secret == app.pool.config.client_secret
    assert app.pool.client_secret_arn == ""
    assert is_accepted(app, app.pool.client_secret)


def test_secret_moves_to_secrets_manager_and_back(app):
    client = {"ClientId": app.pool.client_id}
    first = app.pool.client_secret
    for _ in range(2):  # the second call changes nothing
        moved = app.api("UpdateUserPoolClient", PublishSecretsInAWSSecretsManager=True, **client)
        assert "ClientSecret" not in moved.json()["UserPoolClient"]
    arn, second = app.pool.client_secret_arn, read_secret(app)
    assert moved.json()["UserPoolClient"]["ClientSecretArn"] == arn
    assert second != first
    assert is_accepted(app, first)
    omitted = app.api("UpdateUserPoolClient", **client).json()["UserPoolClient"]
    assert omitted["ClientSecretArn"] == arn

    back = app.api("UpdateUserPoolClient", PublishSecretsInAWSSecretsManager=False, **client)
    assert back.json()["UserPoolClient"]["ClientSecret"] == second
    assert is_accepted(app, second)
    gone = app.api("GetSecretValue", service="secretsmanager", SecretId=arn)
    assert gone.json()["__type"] == "ResourceNotFoundException"


def test_each_client_has_a_secret_of_its_own_and_a_public_one_has_none(app):
    machine = app.pool.config.machine_client_id
    app.pool.do("rotate-secret machine --drop-old")
    form = {"grant_type": "client_credentials"}
    old = app.token(auth=(machine, app.pool.config.machine_client_secret), **form)
    assert old.json()["error"] == "invalid_client"
    arn = f"cognito/{app.pool.pool_id}/{machine}"
    value = app.api("GetSecretValue", service="secretsmanager", SecretId=arn).json()
    secret = json.loads(value["SecretString"])["clientSecretValue"]
    assert app.token(auth=(machine, secret), **form).status_code == 200
    assert app.pool.client_secret == app.pool.config.client_secret
    with pytest.raises(PoolError, match="no secret"):
        app.pool.do("rotate-secret public")
    with pytest.raises(PoolError, match="no app client"):
        app.pool.do("rotate-secret another")


def test_setting_that_the_local_pool_does_not_have_cannot_be_changed(app):
    body = {"ClientId": app.pool.client_id, "AnalyticsConfiguration": {}}
    refused = app.api("UpdateUserPoolClient", **body)
    assert refused.json()["__type"] == "InvalidParameterException"


def test_secret_is_on_the_console_and_not_in_the_log(app):
    app.pool.do("rotate-secret")
    secret = app.pool.client_secret
    assert f"{secret} (in Secrets Manager)" in app.get("/_local/").text
    assert secret not in "".join(app.pool.journal.lines)
