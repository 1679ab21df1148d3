"""Definitions of all metrics of the site. The alerts in deploy/alerts.yml use their names.

The processes of one server count in shared files (PROMETHEUS_MULTIPROC_DIR, set by `make serve`),
so a scrape of any process returns the totals of all.
"""

from __future__ import annotations

import logging
import time
from functools import cache

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)

SIGN_INS_STARTED = Counter(
    "sso_sign_ins_started",
    "Browsers redirected to the hosted UI. Compare with sso_sign_ins_returned.",
)
SIGN_INS_RETURNED = Counter(
    "sso_sign_ins_returned", "Browsers that the hosted UI redirected back to finish a sign-in."
)
SIGN_INS = Counter("sso_sign_ins", "Finished sign-in attempts, by result.", ["result"])
VERIFICATIONS = Counter(
    "sso_verifications", "Access tokens sent to the API, by outcome.", ["outcome"]
)
REFRESHES = Counter("sso_refreshes", "Token refreshes at Cognito, by outcome.", ["outcome"])
REVOCATIONS = Counter("sso_revocations", "Revocations here, by kind.", ["kind"])
JWKS_FETCHES = Counter("sso_jwks_fetches", "Downloads of signing keys, by outcome.", ["outcome"])
JWKS_FETCHED = Gauge(
    "sso_jwks_fetched_timestamp_seconds",
    "Unix time of the last download of signing keys.",
    multiprocess_mode="livemax",
)
TOKEN_ENDPOINT = Histogram(
    "sso_token_endpoint_seconds",
    "Calls to Cognito's token and revocation endpoints.",
    ["call", "outcome"],
    buckets=_SECONDS,
)
CACHE_FAILURES = Counter("sso_cache_failures", "Calls that the shared cache did not respond to.")
DATABASE_FAILURES = Counter(
    "sso_database_failures", "Requests that failed because the database did not respond."
)
REQUESTS = Histogram(
    "sso_request_seconds",
    "Requests by method, view and status.",
    ["method", "view", "status"],
    buckets=_SECONDS,
)

# An alert on an increase misses a series that starts at 1, so these are created with the value 0.
for _outcome in ("client_rejected", "request_rejected", "cognito_unavailable", "crowded"):
    for _call in ("exchange", "refresh", "revoke", "exchange_token"):
        TOKEN_ENDPOINT.labels(call=_call, outcome=_outcome)

COUNTERS = {
    "sign_ins_started": SIGN_INS_STARTED,
    "sign_ins_returned": SIGN_INS_RETURNED,
    "sign_ins": SIGN_INS,
    "verifications": VERIFICATIONS,
    "refreshes": REFRESHES,
    "revocations": REVOCATIONS,
    "jwks_fetches": JWKS_FETCHES,
    "cache_failures": CACHE_FAILURES,
    "database_failures": DATABASE_FAILURES,
}
HISTOGRAMS = {"token_endpoint": TOKEN_ENDPOINT}

_log = logging.getLogger(__name__)


@cache  # the look-up takes longer than the increment, and there are few label combinations
def _counter(name: str, *labels: tuple[str, str]) -> Counter:
    counter = COUNTERS[name]
    return counter.labels(**dict(labels)) if labels else counter


class PrometheusSink:
    """A sink that counts the events of `accounts.core.metrics` in Prometheus metrics."""

    def count(self, name: str, labels: dict[str, str]) -> None:
        _counter(name, *labels.items()).inc()
        if name == "jwks_fetches" and labels["outcome"] == "ok":
            JWKS_FETCHED.set(time.time())

    def observe(self, name: str, seconds: float, labels: dict[str, str]) -> None:
        HISTOGRAMS[name].labels(**labels).observe(seconds)
