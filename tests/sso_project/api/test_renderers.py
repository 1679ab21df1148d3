"""Content negotiation selects the renderer that Django REST framework would."""

from itertools import product

import pytest
from django.http import Http404
from django.test import RequestFactory
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.settings import api_settings

from sso_project.api.renderers import ContentNegotiation
from stats.api.stream import CsvRenderer
from stats.models import Stat

RENDERERS = [JSONRenderer(), BrowsableAPIRenderer(), CsvRenderer()]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def select(negotiation, query, accept, suffix):
    headers = {} if accept is None else {"accept": accept}
    request = Request(RequestFactory().get(f"/{query}", headers=headers))
    try:
        renderer, media_type = negotiation.select_renderer(request, RENDERERS, suffix)
    except (NotAcceptable, Http404) as error:
        return type(error)
    return type(renderer), media_type


QUERIES = ["", "?format=json", "?format=csv", "?format=", "?format=no"]
ACCEPTS = [None, "*/*", "application/json", "text/csv", BROWSER, "application/json; indent=8", "",
           "a/b", "application/*", "*/*;q=0.1", " */*"]  # fmt: skip
SUFFIXES = [None, "api", "json"]


def test_selection_equals_the_default_negotiation():
    for arguments in product(QUERIES, ACCEPTS, SUFFIXES):
        expected = select(DefaultContentNegotiation(), *arguments)
        if expected is Http404:  # an unknown format, which is not a missing object
            expected = NotAcceptable
        assert (arguments, select(ContentNegotiation(), *arguments)) == (arguments, expected)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/api/stats", "Figures"),
        ("/api/stats/1", "Figure"),
        ("/api/stats/bulk", "Add or change many figures"),
        ("/api/user", "User"),
        ("/api/info/server", "Server info"),
    ],
)
def test_browsable_api_has_readable_headings(cognito_client, path, heading):
    Stat.objects.create(pk=1, kpi="cost", year=2020, month=1, value=1)
    page = cognito_client("ada").get(path, headers={"Accept": "text/html"}).text
    assert f"<h1>{heading}</h1>" in page
    assert f'aria-label="{heading}"' in page or f"<title>{heading}" in page


def test_api_uses_this_negotiation():
    assert api_settings.DEFAULT_CONTENT_NEGOTIATION_CLASS is ContentNegotiation
