"""docs/runbooks/rotate-client-secret.md with two servers that restart one after the other."""

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
    """Call an operation of the pool, as the AWS CLI in the runbook does."""
    return aws.call(
        "cognito-idp",
        operation,
        region="local-1",
        issuer=pool.issuer,
        UserPoolId=pool.pool_id,
        ClientId=pool.client_id,
        **parameters,
    )


def visitor_at(address, pool, username, response=302):
    """Return a visitor who signed in at this server; the callback goes to the registered URL."""
    visitor = Visitor(address, pool, requests.Session())
    callback = visitor.callback(visitor.start(), username)
    path = callback.split("/", 3)[3]
    assert visitor.get(f"/{path}").status_code == response
    return visitor


def status(address, visitor):
    cookies = visitor.http.cookies.get_dict()
    response = requests.get(
        f"{address}/profile/", cookies=cookies, allow_redirects=False, timeout=60
    )
    return response.status_code


def test_secret_is_changed_without_a_sign_out(pool):
    [first] = at_the_pool(pool, "list_user_pool_client_secrets")["ClientSecrets"]
    added = at_the_pool(pool, "add_user_pool_client_secret")["ClientSecretDescriptor"]
    restarted = {1: {"COGNITO_CLIENT_SECRET": added["ClientSecretValue"]}}
    with processes(2, pool, pool.app_port, own=restarted) as (old, new):
        ada, grace = visitor_at(old, pool, "ada"), visitor_at(new, pool, "grace")

        # Both secrets are active: each server signs in, and renews sign-ins of the other one.
        for number, (server, visitor) in enumerate(
            [(old, ada), (old, grace), (new, ada), (new, grace)], start=1
        ):
            until_expired()
            assert status(server, visitor) == 200
            assert refreshes(pool) == number

        # The old secret is deleted, but one server still uses it.
        assert status(old, ada) == 200
        key = first["ClientSecretId"]
        at_the_pool(pool, "delete_user_pool_client_secret", ClientSecretId=key)
        until_expired()
        assert status(old, ada) == 200  # the grace
        beyond_grace()
        assert status(old, ada) == 503
        counted = requests.get(f"{old}/metrics", timeout=60).text
        [alerting] = [line for line in counted.splitlines() if _alerts(line)]
        assert float(alerting.split()[-1]) > 0
        visitor_at(old, pool, "linus", response=503)
        assert SignIn.objects.live().count() == 2
        beyond_grace()  # the retry pause is over as well
        assert status(new, ada) == 200
        assert status(new, grace) == 200
        assert visitor_at(new, pool, "linus").is_signed_in
    assert SignIn.objects.live().count() == 3


def test_secret_in_a_file_is_changed_without_a_restart(pool, tmp_path):
    file = tmp_path / "client-secret"
    file.write_text(pool.client_secret)
    with processes(2, pool, pool.app_port, COGNITO_CLIENT_SECRET=str(file)) as (one, two):
        ada, grace = visitor_at(one, pool, "ada"), visitor_at(two, pool, "grace")
        [first] = at_the_pool(pool, "list_user_pool_client_secrets")["ClientSecrets"]
        added = at_the_pool(pool, "add_user_pool_client_secret")["ClientSecretDescriptor"]
        (tmp_path / "new").write_text(added["ClientSecretValue"])
        (tmp_path / "new").rename(file)
        key = first["ClientSecretId"]
        at_the_pool(pool, "delete_user_pool_client_secret", ClientSecretId=key)
        beyond_grace()
        assert status(one, ada) == 200
        assert status(two, grace) == 200
        assert visitor_at(two, pool, "linus").is_signed_in
    assert SignIn.objects.live().count() == 3


def _alerts(line):
    """Return the counter of the alert OurClientIsRejected."""
    counted = line.startswith("sso_token_endpoint_seconds_count") and not line.endswith(" 0.0")
    return counted and 'outcome="client_rejected"' in line
