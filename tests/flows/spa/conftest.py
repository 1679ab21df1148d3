"""A single-page app on another origin than the API, like the original React UI."""

import pytest
from django.core.cache import cache

from local_pool.testing import LocalPool
from tests.flows.conftest import ENVIRONMENT_NAMES


@pytest.fixture
def spa_origin():
    """The origin of the app. No page is loaded from it."""
    return "http://localhost:3999"


@pytest.fixture
def pool_settings():
    """Settings of the pool, for tests to override."""
    return {}


@pytest.fixture
def pool(live_server, spa_origin, pool_settings):
    with LocalPool(
        public_url=live_server.url,
        callback_urls=[f"{spa_origin}/signin"],
        logout_urls=[f"{spa_origin}/signout"],
        **pool_settings,
    ) as running:
        yield running


@pytest.fixture
def site(live_server, pool, spa_origin, settings):
    """The URL of the running API, configured for `pool` and the page's origin."""
    cache.clear()
    environment = pool.env()
    settings.PUBLIC_URL = live_server.url
    settings.CORS_ALLOWED_ORIGINS = [spa_origin]
    settings.COGNITO = {
        **settings.COGNITO,
        **{key: environment.get(name, "") for key, name in ENVIRONMENT_NAMES.items()},
        "JWKS_URL": "",
        "PUBLIC_URL": live_server.url,
        "PUBLIC_CLIENT_ID": pool.config.public_client_id,
        "ACCEPTED_CLIENTS": [pool.config.machine_client_id],
        "SPA_REDIRECT_URIS": [f"{spa_origin}/signin"],
    }
    return live_server.url


@pytest.fixture
def expired_tokens(pool):
    """A function that returns tokens that the pool issued more than an hour ago."""

    def make(username="ada"):
        pool.clock.offset = -3700
        response = pool.tokens_for(username)
        pool.clock.offset = 0
        return response

    return make
