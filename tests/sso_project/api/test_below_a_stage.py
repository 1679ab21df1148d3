"""Below a stage of API Gateway, every URL of the API and its document has the stage."""

import json
from urllib.parse import urlsplit

import pytest

from accounts.testing import mint_access_token
from sso_project.lambda_handler import handler
from stats.models import Stat
from tests.sso_project.lambda_events import http_api, rest_api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("cognito")]
FIGURE = {"kpi": "profit", "year": 2026, "month": 1, "value": 1}


@pytest.fixture(params=[http_api, rest_api])
def ask(request, settings):
    settings.ALLOWED_HOSTS = ["localhost"]

    def ask(path, token=None, **options):
        headers = {"content-type": "application/json", "accept": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        response = handler(request.param(path, stage="prod", headers=headers, **options), None)
        sent = response.get("headers") or {
            name: values[-1] for name, values in response["multiValueHeaders"].items()
        }
        return {name.lower(): value for name, value in sent.items()}, response["body"]

    return ask


def paths_in(body, *names):
    return [urlsplit(json.loads(body)[name]).path for name in names]


def test_document_and_swagger_ui_lead_to_the_stage(ask):
    _, document = ask("/openapi.json")
    assert json.loads(document)["servers"] == [{"url": "/prod"}]
    _, page = ask("/docs")
    settings = json.loads(page.split('id="swagger-settings"', 1)[1].split(">", 1)[1].split("<")[0])
    assert settings["schema"] == "/prod/openapi.json"
    assert urlsplit(settings["redirect"]).path == "/prod/docs/oauth2-redirect"


def test_links_of_responses_lead_to_the_stage(ask):
    for month in (1, 2, 3):
        Stat.objects.create(kpi="cost", year=2020, month=month, value=1)
    token = mint_access_token("ada", groups=["admins"])
    _, first = ask("/api/stats", token, query="limit=1")
    cursor = urlsplit(json.loads(first)["next"]).query
    _, second = ask("/api/stats", token, query=cursor)
    assert paths_in(second, "next", "previous") == ["/prod/api/stats"] * 2
    headers, _ = ask("/api/stats", token, method="POST", body=json.dumps(FIGURE))
    assert urlsplit(headers["location"]).path.startswith("/prod/api/stats/")
    _, challenge = ask("/api/user")
    assert paths_in(challenge, "login_url") == ["/prod/accounts/login/"]
