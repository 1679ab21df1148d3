"""The check for cached tokens whether their signing key is still published."""

import pytest

from accounts.cognito.errors import CognitoUnavailable
from accounts.cognito.jwks import KeyStore
from accounts.cognito.token_cache import is_published
from accounts.cognito.verifier import TokenVerifier, TrustedPools
from tests.cognito.keys import (
    ACCESS_KEY_ID,
    CLIENT_ID,
    ID_KEY_ID,
    ISSUER,
    POOL_ID,
    jwk,
    key_set,
    make_access_token,
)


@pytest.fixture
def published(clock):
    """A key set that a test can empty, and its verifier."""

    class Published:
        document = key_set()

        def __call__(self):
            if self.document is None:
                raise CognitoUnavailable("down")
            return self.document

    made = Published()
    keys = KeyStore(made, clock=clock, in_background=lambda work: work())
    made.pools = TrustedPools(
        [TokenVerifier(pool_id=POOL_ID, keys={ISSUER: keys}, client_ids=[CLIENT_ID], clock=clock)]
    )
    return made


def test_published_key_still_counts(published):
    published.pools.access_claims(make_access_token())
    assert is_published(published.pools.keys_of(ISSUER), ACCESS_KEY_ID)


def test_withdrawn_key_counts_no_longer(published, clock):
    published.pools.access_claims(make_access_token())
    published.document = key_set(jwk(ID_KEY_ID))
    clock.forward(3601)
    assert is_published(published.pools.keys_of(ISSUER), ACCESS_KEY_ID)  # downloads the new set
    assert not is_published(published.pools.keys_of(ISSUER), ACCESS_KEY_ID)


def test_outage_withdraws_nothing(published, clock):
    published.pools.access_claims(make_access_token())
    published.document = None
    clock.forward(3601)
    for _ in range(3):
        assert is_published(published.pools.keys_of(ISSUER), ACCESS_KEY_ID)
        clock.forward(60)


def test_key_that_cannot_be_looked_up_does_not_count(published):
    published.document = None
    assert not is_published(published.pools.keys_of(ISSUER), ACCESS_KEY_ID)
