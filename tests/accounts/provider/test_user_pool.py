"""Sign-outs of a user and of single sessions through boto3, with a pool on this machine."""

import pytest

from accounts.provider import user_pool
from accounts.provider.aws import AwsError
from local_pool.testing import LocalPool
from tests.accounts.pools import use_pool


@pytest.fixture
def pool(settings):
    with LocalPool() as running:
        use_pool(settings, running)
        yield running


@pytest.fixture
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests-only")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests-only")


@pytest.fixture
def no_credentials(monkeypatch):
    for name in user_pool._CREDENTIALS:
        monkeypatch.delenv(name, raising=False)


def test_without_credentials_aws_is_not_called(pool, no_credentials):
    assert user_pool.global_sign_out("ada")
    assert pool.counts()["api"] == 0


def test_all_tokens_of_the_user_are_revoked(pool, credentials):
    from accounts.cognito.errors import GrantRejected
    from accounts.provider import provider

    refresh_token = pool.tokens_for("ada")["refresh_token"]
    assert user_pool.global_sign_out("ada")
    with pytest.raises(GrantRejected):
        provider().token_endpoint.refresh(refresh_token)


def test_deleted_user_counts_as_signed_out(pool, credentials):
    assert user_pool.global_sign_out("deleted-user")


def test_failure_is_logged_if_the_pool_does_not_respond(pool, credentials, caplog):
    pool.stop()
    assert not user_pool.global_sign_out("ada")
    assert "AdminUserGlobalSignOut failed" in caplog.text


def test_tracked_sessions_are_listed_and_ended(pool, credentials):
    pool.do("sessions on")
    pool.tokens_for("ada")
    pool.tokens_for("ada")
    first, second = user_pool.list_sessions("ada")
    assert not first.is_browser
    assert first.last_active_at is not None
    assert first.client_id == pool.client_id
    user_pool.revoke_session("ada", second.session_id)
    assert user_pool.list_sessions("ada") == [first]


def test_ended_session_and_deleted_user_are_no_errors(pool, credentials):
    pool.do("sessions on")
    assert user_pool.list_sessions("deleted-user") == []
    user_pool.revoke_session("deleted-user", "sso" + "a" * 25)
    user_pool.revoke_session("ada", "sso" + "a" * 25)


def test_other_failure_is_an_error(pool, credentials):
    with pytest.raises(AwsError, match="tracking"):
        user_pool.list_sessions("ada")
    with pytest.raises(AwsError, match="tracking"):
        user_pool.revoke_session("ada", "sso" + "a" * 25)


def test_boto3_without_the_operation_asks_for_a_newer_one(pool, credentials):
    with pytest.raises(AwsError, match=r"newer boto3. Update it: `pip install"):
        user_pool._call("operation_of_next_year")
