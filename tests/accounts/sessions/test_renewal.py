"""Renewing tokens: what must hold whatever the times are set to; the stories are in tests/flows."""

import pytest

from accounts.cognito.transport import Transport
from accounts.provider import bounded_endpoint
from accounts.sessions import renewal


def test_lease_outlives_all_timeouts_and_retries_of_a_renewal():
    """A place among the calls, the refresh, and the keys to verify its answer with."""
    longest = bounded_endpoint.WAIT_FOR_A_PLACE + 2 * Transport().longest_call
    assert renewal.LEASE.total_seconds() > longest


@pytest.mark.parametrize("wait", ["LONGEST_WAIT", "PATIENCE"])
def test_nobody_waits_as_long_as_the_lease(wait):
    assert getattr(renewal, wait) < renewal.LEASE.total_seconds()
