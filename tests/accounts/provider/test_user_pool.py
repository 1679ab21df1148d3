"""AdminUserGlobalSignOut, asked of a pool on this machine through boto3."""

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


def test_without_credentials_nothing_is_asked(pool, no_credentials):
    assert user_pool.global_sign_out("ada")
    assert pool.counts()["api"] == 0


def test_pool_ends_all_tokens_of_the_person(pool, credentials):
    from accounts.cognito.errors import GrantRejected
    from accounts.provider import provider

    refresh_token = pool.tokens_for("ada")["refresh_token"]
    assert user_pool.global_sign_out("ada")
    with pytest.raises(GrantRejected):
        provider().token_endpoint.refresh(refresh_token)


def test_person_who_is_gone_needs_no_signing_out(pool, credentials):
    assert user_pool.global_sign_out("nobody-of-that-name")


def test_pool_that_does_not_answer_is_not_reached(pool, credentials, caplog):
    pool.stop()
    assert not user_pool.global_sign_out("ada")
    assert "AdminUserGlobalSignOut failed" in caplog.text
