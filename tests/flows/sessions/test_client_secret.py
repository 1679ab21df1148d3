"""docs/runbooks/rotate-client-secret.md, followed: two servers, one restarted before the other."""

import pytest
import requests

from accounts.models import SignIn
from accounts.provider import aws
from tests.flows.conftest import Visitor
from tests.flows.sessions.conftest import beyond_grace, refreshes, until_expired
from tests.flows.sessions.test_processes import pool, processes, same_pool

__all__ = ["pool", "same_pool"]  # fixtures

pytestmark = pytest.mark.django_db(transaction=True)


def at_the_pool(pool, operation, **parameters):
    """What the runbook's AWS CLI does."""
    return aws.call(
        "cognito-idp",
        operation,
        region="local-1",
        issuer=pool.issuer,
        UserPoolId=pool.pool_id,
        ClientId=pool.client_id,
        **parameters,
    )


def visitor_at(address, pool, who, answer=302):
    """Whoever this server signs in; the hosted UI leads back to the registered address."""
    visitor = Visitor(address, pool, requests.Session())
    callback = visitor.callback(visitor.start(), who)
    path = callback.split("/", 3)[3]
    assert visitor.get(f"/{path}").status_code == answer
    return visitor


def status(address, visitor):
    cookies = visitor.http.cookies.get_dict()
    answer = requests.get(f"{address}/profile/", cookies=cookies, allow_redirects=False, timeout=20)
    return answer.status_code


def test_secret_is_changed_with_nobody_signed_out(pool):
    [first] = at_the_pool(pool, "list_user_pool_client_secrets")["ClientSecrets"]
    added = at_the_pool(pool, "add_user_pool_client_secret")["ClientSecretDescriptor"]
    restarted = {1: {"COGNITO_CLIENT_SECRET": added["ClientSecretValue"]}}
    with processes(2, pool, pool.app_port, own=restarted) as (old, new):
        ada, grace = visitor_at(old, pool, "ada"), visitor_at(new, pool, "grace")

        # Both are live: either server signs in, and renews what the other one signed in.
        for number, (server, visitor) in enumerate(
            [(old, ada), (old, grace), (new, ada), (new, grace)], start=1
        ):
            until_expired()
            assert status(server, visitor) == 200
            assert refreshes(pool) == number

        # The old one is gone, and one server was forgotten.
        assert status(old, ada) == 200
        key = first["ClientSecretId"]
        at_the_pool(pool, "delete_user_pool_client_secret", ClientSecretId=key)
        until_expired()
        assert status(old, ada) == 200  # the grace
        beyond_grace()
        assert status(old, ada) == 503
        counted = requests.get(f"{old}/metrics", timeout=20).text
        [alerting] = [line for line in counted.splitlines() if _alerts(line)]
        assert float(alerting.split()[-1]) > 0
        visitor_at(old, pool, "linus", answer=503)
        assert SignIn.objects.live().count() == 2
        beyond_grace()  # the moment in which nobody asks again passes too
        assert status(new, ada) == 200
        assert status(new, grace) == 200
        assert visitor_at(new, pool, "linus").is_signed_in
    assert SignIn.objects.live().count() == 3


def _alerts(line):
    """What the alert OurClientIsRejected counts, once there is any."""
    counted = line.startswith("sso_token_endpoint_seconds_count") and not line.endswith(" 0.0")
    return counted and 'outcome="client_rejected"' in line
