"""Fixtures: a clock, a verifier with real keys, a scripted HTTP server on loopback."""

import pytest

from accounts.cognito.jwks import KeyStore
from accounts.cognito.verifier import TokenVerifier
from tests.cognito.keys import CLIENT_ID, ISSUER, NOW, POOL_ID, key_set
from tests.cognito.loopback import ScriptedServer
from tests.garbage import no_garbage_collection  # noqa: F401, a fixture


class Clock:
    """A clock that a test moves."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now

    def forward(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock(NOW)


@pytest.fixture
def verifier(clock):
    keys = KeyStore(key_set, clock=clock, in_background=lambda work: work())
    return TokenVerifier(pool_id=POOL_ID, keys={ISSUER: keys}, client_ids=[CLIENT_ID], clock=clock)


@pytest.fixture
def server():
    with ScriptedServer() as running:
        yield running
