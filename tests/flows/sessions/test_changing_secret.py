"""The client secret changes while users sign in and use the site."""

import json
import os
from functools import partial

import pytest

from accounts.models import SignIn
from accounts.provider import aws, provider, secret_source
from local_pool import client_secrets
from tests.accounts.aws_endpoint import AwsEndpoint
from tests.flows.sessions.conftest import at_once, beyond_grace, refreshes, until_expired

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("patient_transport"),
]

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:web-AbCdEf"
SIGNED_IN, ARRIVING = 8, 12


class Place:
    """Where the secret is stored. It counts the reads."""

    def __init__(self, name):
        self.name = name
        self.text = ""
        self.reads = 0

    def read(self, *arguments):
        self.reads += 1
        return self.text

    def __getitem__(self, operation):
        """Return the response of Secrets Manager, for AwsEndpoint."""
        assert operation == "GetSecretValue"
        return {"ARN": ARN, "SecretString": self.read()}

    def rotate(self, pool):
        """Store a new secret, and delete the old one at the pool."""
        client = pool.config.clients[pool.client_id]
        [old] = client_secrets.active_secrets(pool.pool, client)
        _, _, value = client_secrets.add(pool.pool, client)
        self.store(pool, value)
        client_secrets.delete(pool.pool, client, old)

    def store(self, pool, value):
        members = {"userPoolId": pool.pool_id, "userPoolClientId": pool.client_id}
        self.text = json.dumps(members | {"clientSecretValue": value})


@pytest.fixture
def secrets_manager(monkeypatch):
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    place = Place(ARN)
    with AwsEndpoint() as endpoint:
        endpoint.responses = place
        for name, value in endpoint.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(aws, "_is_local", lambda issuer: {})  # only the pool is local
        yield place


@pytest.fixture
def mounted_file(monkeypatch):
    place = Place("/run/secrets/client-secret")
    monkeypatch.setattr(secret_source, "_read_file", place.read)
    return place


@pytest.fixture(params=["secrets_manager", "mounted_file"])
def place(request, site, pool, settings):
    place = request.getfixturevalue(request.param)
    place.store(pool, pool.client_secret)
    limits = {**settings.COGNITO["LIMITS"], "calls_at_once": 4 * (SIGNED_IN + ARRIVING)}
    settings.COGNITO = {**settings.COGNITO, "CLIENT_SECRET": place.name, "LIMITS": limits}
    return place


def let_pause_pass():
    provider().client_secret._next_read_at = 0


def test_two_rotations_under_load_refuse_no_request_and_end_no_session(place, pool, new_visitor):
    signed_in = [new_visitor() for _ in range(SIGNED_IN)]
    for visitor in signed_in:
        visitor.sign_in()
    assert place.reads == 1
    for rotation in (1, 2):
        beyond_grace()
        arriving = [new_visitor() for _ in range(ARRIVING)]
        callbacks = [visitor.callback(visitor.start()) for visitor in arriving]
        place.rotate(pool)
        let_pause_pass()
        responses = at_once(
            *(partial(visitor.get, "/profile/") for visitor in signed_in),
            *map(partial, [visitor.get for visitor in arriving], callbacks),
        )
        assert [response.status_code for response in responses[:SIGNED_IN]] == [200] * SIGNED_IN
        locations = [response.headers.get("Location") for response in responses[SIGNED_IN:]]
        assert locations == ["/dashboard/"] * ARRIVING
        assert place.reads == 1 + rotation
        assert SignIn.objects.live().count() == SIGNED_IN + rotation * ARRIVING


def test_rotation_in_the_middle_of_the_load_refuses_no_request(place, pool, new_visitor):
    signed_in = [new_visitor() for _ in range(SIGNED_IN)]
    for visitor in signed_in:
        visitor.sign_in()
    for _ in range(2):
        beyond_grace()
        let_pause_pass()
        calls = [partial(visitor.get, "/profile/") for visitor in signed_in]
        calls.insert(SIGNED_IN // 2, partial(place.rotate, pool))
        responses = [response for response in at_once(*calls) if response is not None]
        assert [response.status_code for response in responses] == [200] * SIGNED_IN
    assert place.reads <= 3
    assert SignIn.objects.live().count() == SIGNED_IN


def test_sign_out_revokes_with_the_changed_secret(place, pool, visitor):
    visitor.sign_in()
    place.rotate(pool)
    assert visitor.sign_out().status_code == 302
    assert place.reads == 2
    assert pool.counts()["revoke"] == 2  # refused, and repeated
    assert SignIn.objects.live().count() == 0


def test_secret_that_is_lost_keeps_sessions_for_the_grace(place, pool, visitor, caplog):
    """The place is empty, and the old secret does not work."""
    visitor.sign_in()
    place.rotate(pool)
    current, place.text = place.text, ""
    until_expired()
    assert visitor.get("/profile/").status_code == 200
    assert refreshes(pool) == 1
    [record] = [item for item in caplog.records if "no new one is available" in item.getMessage()]
    assert f"({place.name}) is not a client secret" in record.getMessage()
    place.text = current
    let_pause_pass()
    beyond_grace()
    assert visitor.is_signed_in
