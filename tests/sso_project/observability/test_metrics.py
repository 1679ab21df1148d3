"""The metrics, and `/metrics` that shows them."""

import os
import subprocess
import sys

import pytest
from django.db import OperationalError, connection
from prometheus_client import REGISTRY

from accounts.core import metrics
from accounts.models import Revocation
from sso_project.observability import metrics_view
from sso_project.observability.metrics import COUNTERS, HISTOGRAMS, PrometheusSink
from tests.imports import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def new_database_collector(monkeypatch):
    monkeypatch.setattr(metrics_view, "DATABASE", metrics_view.DatabaseCollector())


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_untrusted_caller_gets_404(client):
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404


def test_metrics_are_in_the_text_format(client):
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    assert "sso_sessions 0.0" in response.text
    assert "sso_database_up 1.0" in response.text


def test_unavailable_database_is_reported_as_zero(client):
    def fail(*args, **kwargs):
        raise OperationalError("connection refused")

    with connection.execute_wrapper(fail):
        response = client.get("/metrics")
    assert response.status_code == 200
    assert "sso_database_up 0.0" in response.text
    assert "sso_sessions" not in response.text


def test_database_state_is_checked_at_every_scrape(client):
    def fail(*args, **kwargs):
        raise OperationalError("connection refused")

    assert "sso_database_up 1.0" in client.get("/metrics").text
    with connection.execute_wrapper(fail):
        assert "sso_database_up 0.0" in client.get("/metrics").text
    response = client.get("/metrics")
    assert "sso_database_up 1.0" in response.text
    assert "sso_sessions 0.0" in response.text


def test_rows_are_not_counted_for_every_scrape(client, django_assert_num_queries):
    client.get("/metrics")
    with django_assert_num_queries(1):  # does the database respond?
        client.get("/metrics")


def test_access_tokens_are_counted_by_outcome(client, cognito):
    before = value("sso_verifications_total", outcome="malformed_token")
    client.get("/api/user", headers={"Authorization": "Bearer nonsense"})
    assert value("sso_verifications_total", outcome="malformed_token") == before + 1


def test_started_sign_in_is_counted(client):
    before = value("sso_sign_ins_started_total")
    client.get("/accounts/login/")
    assert value("sso_sign_ins_started_total") == before + 1
    assert value("sso_sign_ins_returned_total") <= value("sso_sign_ins_started_total")


def test_requests_are_counted_by_view_and_not_by_path(client):
    labels = {"method": "GET", "view": "none", "status": "404"}
    before = value("sso_request_seconds_count", **labels)
    client.get("/no-such-page-1")
    client.get("/no-such-page-2")
    assert value("sso_request_seconds_count", **labels) == before + 2


def test_revocations_are_counted(client):
    from accounts.tokens import revocations

    before = value("sso_revocations_total", kind="sign_in")
    revocations.revoke_sign_in("some-origin-jti")
    assert Revocation.objects.count() == 1
    assert value("sso_revocations_total", kind="sign_in") == before + 1


def test_every_name_that_accounts_counts_has_a_metric():
    documented = set(metrics.__doc__.split("\n\n")[2].replace(",", " ").split())
    names = {word.partition("(")[0] for word in documented} - {"in", "seconds", "outcome)"}
    assert names == COUNTERS.keys() | HISTOGRAMS.keys()


def test_sink_is_installed_once():
    sink = PrometheusSink()
    before = list(metrics._sinks)
    metrics.install(sink)
    metrics.install(sink)
    assert metrics._sinks == [*before, sink]
    metrics._sinks.remove(sink)


def test_counts_of_several_processes_are_summed(tmp_path, clean_environ):
    """Two processes count and end. A third one reads the sum."""
    code = (
        "from sso_project.observability.metrics import PrometheusSink\n"
        "PrometheusSink().count('sign_ins', {'result': 'ok'})\n"
        "PrometheusSink().count('jwks_fetches', {'outcome': 'ok'})\n"
    )
    read = (
        "from prometheus_client import CollectorRegistry, generate_latest\n"
        "from prometheus_client.multiprocess import MultiProcessCollector\n"
        "registry = CollectorRegistry()\n"
        "MultiProcessCollector(registry)\n"
        "print(generate_latest(registry).decode())\n"
    )
    environ = {**clean_environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(text):
        command = [sys.executable, "-c", text]
        done = subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout

    run(code)
    run(code)
    output = run(read)
    assert 'sso_sign_ins_total{result="ok"} 2.0' in output
    # A series with an alert starts at 0: an alert on an increase would miss a start at 1.
    rejected = 'sso_token_endpoint_seconds_count{call="exchange",outcome="client_rejected"} 0.0'
    assert rejected in output
    assert 'sso_jwks_fetches_total{outcome="ok"} 2.0' in output
    assert len(os.listdir(tmp_path)) >= 4
