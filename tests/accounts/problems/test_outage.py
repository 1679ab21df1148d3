"""A database outage: 503 for browsers and scripts, and no traceback for each request."""

import io
import logging

import pytest
from django.db import InterfaceError, OperationalError, connection
from prometheus_client import REGISTRY

from accounts.problems.outage import is_outage
from sso_project.observability.log_filters import ShortenOutages

pytestmark = pytest.mark.django_db


@pytest.fixture
def outage(monkeypatch, client):
    """Make every query fail."""

    def refuse(*args, **kwargs):
        raise OperationalError("connection to server failed\nIs the server running?")

    client.raise_request_exception = False
    client.cookies["sessionid"] = "a" * 32
    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.usefixtures("outage")
def test_page_is_503_with_the_next_step(client):
    response = client.get("/profile/", headers={"Accept": "text/html"})
    assert response.status_code == 503
    assert "Try again" in response.text
    assert response.headers["Retry-After"] == "5"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("outage")
def test_page_of_an_outage_is_logged(client, caplog):
    client.get("/profile/", headers={"Accept": "text/html"})
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    assert record.status_code == 503
    assert "the database does not respond" in record.getMessage()


@pytest.mark.usefixtures("outage")
@pytest.mark.parametrize(
    ("path", "headers"),
    [("/api/stats", {}), ("/profile/", {"Sec-Fetch-Mode": "cors"})],
)
def test_script_gets_json(client, path, headers):
    response = client.get(path, headers=headers)
    assert response.status_code == 503
    assert response.json()["code"] == "database_unavailable"
    assert response.json()["error"] == response.json()["detail"]
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.usefixtures("outage")
@pytest.mark.parametrize("path", ["/api/stats", "/profile/"])
def test_outage_is_counted_once_for_each_request(client, path):
    before = REGISTRY.get_sample_value("sso_database_failures_total")
    client.get(path)
    assert REGISTRY.get_sample_value("sso_database_failures_total") == before + 1


@pytest.mark.usefixtures("outage")
def test_start_page_without_a_session_needs_no_database(client):
    client.cookies.clear()
    assert client.get("/").status_code == 200


def test_other_error_is_500(client, monkeypatch):
    def fail(*args, **kwargs):
        raise ValueError("a mistake")

    client.raise_request_exception = False
    client.cookies["sessionid"] = "a" * 32
    with connection.execute_wrapper(fail):
        assert client.get("/profile/").status_code == 500


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationalError("server closed the connection"), True),
        (InterfaceError("connection already closed"), True),
        (OperationalError("no such table: stats_stat"), False),
        (ValueError("x"), False),
        (None, False),
    ],
)
def test_outages_are_distinguished_from_other_errors(error, expected):
    assert is_outage(error) is expected


def test_log_has_one_line_for_an_outage():
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.addFilter(ShortenOutages())
    logger = logging.getLogger("outage-test")
    logger.addHandler(handler)
    logger.propagate = False
    for error in (OperationalError("down\nsecond line"), ValueError("a mistake")):
        try:
            raise error
        except (OperationalError, ValueError):
            logger.exception("Internal Server Error: %s", "/x")
    first, second, *traceback = output.getvalue().splitlines()
    assert first == "Internal Server Error: /x: the database does not respond: down"
    assert second == "Internal Server Error: /x"
    assert "ValueError: a mistake" in traceback[-1]
