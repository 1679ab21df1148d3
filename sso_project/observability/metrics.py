"""Every metric of the site, once. deploy/alerts.yml uses these names; a test keeps both in step.

Several processes of one server count into files that they share (PROMETHEUS_MULTIPROC_DIR, set by
`make serve`), so that a scrape of any of them tells of all.
"""

from __future__ import annotations

import logging
import time
from functools import cache

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)

SIGN_INS_STARTED = Counter(
    "sso_sign_ins_started", "Browsers sent to the hosted UI. Compare with those that returned."
)
SIGN_INS_RETURNED = Counter(
    "sso_sign_ins_returned", "Browsers that came back from the hosted UI to finish a sign-in."
)
SIGN_INS = Counter("sso_sign_ins", "Sign-ins that came to an end here, by result.", ["result"])
VERIFICATIONS = Counter(
    "sso_verifications", "Access tokens brought to the API, by outcome.", ["outcome"]
)
REFRESHES = Counter("sso_refreshes", "Renewals of sessions, by outcome.", ["outcome"])
REVOCATIONS = Counter("sso_revocations", "What stopped counting before its time.", ["kind"])
JWKS_FETCHES = Counter("sso_jwks_fetches", "Downloads of signing keys, by outcome.", ["outcome"])
JWKS_FETCHED = Gauge(
    "sso_jwks_fetched_timestamp_seconds",
    "When a process last downloaded signing keys, as Unix time.",
    multiprocess_mode="livemax",
)
TOKEN_ENDPOINT = Histogram(
    "sso_token_endpoint_seconds",
    "Calls to Cognito's token and revocation endpoints.",
    ["call", "outcome"],
    buckets=_SECONDS,
)
CACHE_FAILURES = Counter("sso_cache_failures", "Questions that the shared cache didn't answer.")
DATABASE_FAILURES = Counter("sso_database_failures", "Requests that the database didn't answer.")
REQUESTS = Histogram(
    "sso_request_seconds",
    "Requests by method, view and status.",
    ["method", "view", "status"],
    buckets=_SECONDS,
)

# Prometheus sees an increase between two samples, so a series that begins with its first failure
# rings no bell: these begin at nought.
for _outcome in ("client_rejected", "request_rejected", "cognito_unavailable", "crowded"):
    for _call in ("exchange", "refresh", "revoke"):
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


@cache  # finding it takes longer than counting; there are few (accounts/core/metrics.py)
def _counter(name: str, *labels: tuple[str, str]) -> Counter:
    counter = COUNTERS[name]
    return counter.labels(**dict(labels)) if labels else counter


class PrometheusSink:
    """Receives what `accounts.core.metrics` tells."""

    def count(self, name: str, labels: dict[str, str]) -> None:
        _counter(name, *labels.items()).inc()
        if name == "jwks_fetches" and labels["outcome"] == "ok":
            JWKS_FETCHED.set(time.time())

    def observe(self, name: str, seconds: float, labels: dict[str, str]) -> None:
        HISTOGRAMS[name].labels(**labels).observe(seconds)
