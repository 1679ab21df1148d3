"""AdminUserGlobalSignOut through boto3, with a pool on this machine."""

import pytest

from accounts.provider import user_pool
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
