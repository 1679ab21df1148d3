"""Renewing tokens: what must hold whatever the times are set to; the stories are in tests/flows."""

import pytest
from django.test import RequestFactory

from accounts import cognito_calls, renewal
from accounts.backends import CognitoBackend
from accounts.cognito.transport import Transport
from accounts.current_request import Answering
from accounts.models import SignIn


def test_lease_outlives_all_timeouts_and_retries_of_a_renewal():
    """A place among the calls, the refresh, and the keys to verify its answer with."""
    longest = cognito_calls.WAIT_FOR_A_PLACE + 2 * Transport().longest_call
    assert renewal.LEASE.total_seconds() > longest


@pytest.mark.parametrize("wait", ["LONGEST_WAIT", "PATIENCE"])
def test_nobody_waits_as_long_as_the_lease(wait):
    assert getattr(renewal, wait) < renewal.LEASE.total_seconds()


@pytest.mark.django_db
def test_result_of_another_thread_comes_with_the_rights_of_now(cognito_client):
    client = cognito_client("ada")
    renewed, waiting = (SignIn.objects.select_related("user").get() for _ in range(2))
    type(client.user).objects.update(is_staff=True)  # what the renewal's tokens said
    renewed.version += 1
    row = renewal._as_it_is_now(waiting, renewed)
    assert (row is waiting, row.version) == (True, renewed.version)
    assert row.user is not renewed.user
    assert row.user.is_staff


@pytest.mark.django_db
def test_person_of_a_request_is_the_one_read_with_the_sign_in(
    cognito_client, django_assert_num_queries
):
    user = cognito_client("ada").user
    request = RequestFactory().get("/")
    request.sign_in = SignIn.objects.select_related("user").get()
    with Answering(request):
        with django_assert_num_queries(0):
            assert CognitoBackend().get_user(user.pk) is request.sign_in.user
        assert CognitoBackend().get_user(user.pk + 1) is None
        request.sign_in.user.is_active = False
        assert CognitoBackend().get_user(user.pk) is None
        request.sign_in = None
        assert CognitoBackend().get_user(user.pk) == user
    assert CognitoBackend().get_user(user.pk) == user
