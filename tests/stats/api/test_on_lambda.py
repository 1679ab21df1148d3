"""A list of thousands of figures through AWS Lambda."""

import gzip
import json
from base64 import b64decode

import pytest
from django.core.management import call_command

from accounts.testing import mint_access_token
from sso_project.lambda_handler import handler
from tests.sso_project.lambda_events import load_balancer

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = "http://localhost:3000"


@pytest.fixture
def ask(reader, settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    call_command("seed_stats", rows=8_000, verbosity=0)
    usual = {"authorization": f"Bearer {mint_access_token('linus')}", "origin": ORIGIN}

    def ask(query="", **headers):
        lower = {name.replace("_", "-"): value for name, value in headers.items()}
        response = handler(load_balancer("/api/stats", query=query, headers=usual | lower), None)
        sent = {k.lower(): v[-1] for k, v in response["multiValueHeaders"].items()}
        return response["statusCode"], sent, response["body"]

    return ask


def test_list_is_compressed_or_refused(ask):
    for query, text in (("", b'"kpi"'), ("limit=8000", b'"kpi"'), ("format=csv", b"\n")):
        status, headers, body = ask(query, accept_encoding="gzip")
        assert (status, headers["content-encoding"]) == (200, "gzip")
        assert gzip.decompress(b64decode(body)).count(text) >= 8_000
    for query in ("", "limit=8000"):  # a CSV is shorter
        status, headers, body = ask(query)
        assert (status, json.loads(body)["code"]) == (400, "response_too_large")
        assert headers["access-control-allow-origin"] == ORIGIN
        assert headers["x-request-id"]


def test_compressed_list_is_not_sent_twice(ask):
    _, headers, _ = ask(accept_encoding="gzip")
    tag = headers["etag"]
    assert tag.startswith('W/"')
    status, headers, body = ask(accept_encoding="gzip", if_none_match=tag)
    assert (status, body, headers["etag"]) == (304, "", tag)
    assert "Accept-Encoding" in headers["vary"]
