"""The database is away: 503 for people and programs, and no traceback for each request."""

import io
import logging

import pytest
from django.db import InterfaceError, OperationalError, connection
from prometheus_client import REGISTRY

from accounts.problems.outage import is_outage
from sso_project.observability.log_filters import ShortenOutages

pytestmark = pytest.mark.django_db


@pytest.fixture
def away(monkeypatch, client):
    """No query gets through from here on."""

    def refuse(*args, **kwargs):
        raise OperationalError("connection to server failed\nIs the server running?")

    client.raise_request_exception = False
    client.cookies["sessionid"] = "a" * 32
    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.usefixtures("away")
def test_page_is_503_and_says_what_to_do(client):
    answer = client.get("/profile/", headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert "Try again" in answer.text
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("away")
def test_page_of_an_outage_is_logged(client, caplog):
    client.get("/profile/", headers={"Accept": "text/html"})
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    assert record.status_code == 503
    assert "the database does not respond" in record.getMessage()


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize(
    ("path", "headers"),
    [("/api/stats", {}), ("/profile/", {"Sec-Fetch-Mode": "cors"})],
)
def test_program_is_told_in_json(client, path, headers):
    answer = client.get(path, headers=headers)
    assert answer.status_code == 503
    assert answer.json()["code"] == "database_unavailable"
    assert answer.json()["error"] == answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("path", ["/api/stats", "/profile/"])
def test_outage_is_counted_once_for_each_request(client, path):
    before = REGISTRY.get_sample_value("sso_database_failures_total")
    client.get(path)
    assert REGISTRY.get_sample_value("sso_database_failures_total") == before + 1


@pytest.mark.usefixtures("away")
def test_start_page_of_a_browser_without_session_needs_no_database(client):
    client.cookies.clear()
    assert client.get("/").status_code == 200


def test_other_faults_stay_500(client, monkeypatch):
    def broken(*args, **kwargs):
        raise ValueError("a mistake")

    client.raise_request_exception = False
    client.cookies["sessionid"] = "a" * 32
    with connection.execute_wrapper(broken):
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
def test_what_counts_as_an_outage(error, expected):
    assert is_outage(error) is expected


def test_log_has_one_line_for_an_outage():
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(ShortenOutages())
    logger = logging.getLogger("outage-test")
    logger.addHandler(handler)
    logger.propagate = False
    for error in (OperationalError("away\nsecond line"), ValueError("a mistake")):
        try:
            raise error
        except (OperationalError, ValueError):
            logger.exception("Internal Server Error: %s", "/x")
    first, second, *traceback = written.getvalue().splitlines()
    assert first == "Internal Server Error: /x: the database does not respond: away"
    assert second == "Internal Server Error: /x"
    assert "ValueError: a mistake" in traceback[-1]
