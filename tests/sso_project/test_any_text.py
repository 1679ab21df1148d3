"""No text in a URL causes a 500, in the admin, on the site or in the API.

The URLs come from the URLconf. PostgreSQL rejects more texts than SQLite (`DATABASE_URL`).
"""

import re
from itertools import chain, product
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.contrib.admindocs.views import extract_views_from_urlpatterns, simplify_regex
from django.core.exceptions import SuspiciousOperation
from django.db import models
from django.http import QueryDict
from django.template.response import TemplateResponse
from django.urls import get_resolver, reverse

from stats.api.description import list_parameters
from stats.models import Stat

# A statement that PostgreSQL rejects would abort the transaction of the test.
pytestmark = pytest.mark.django_db(transaction=True)

TEXTS = {
    "nothing": "",
    "NUL": "a\0b",
    "NUL as the admin quotes it": "_00",
    "superscript": "\u00b3",
    "digit of another script": "\u0663",
    "negative": "-1",
    "beyond 64 bits": "9" * 20,
    "beyond a float": "9" * 400,
    "beyond int()": "9" * 5000,
    "not a number": "NaN",
    "not UTF-8": b"\xff",
    "half a surrogate pair": b"\xed\xa0\x80",
    "year without a date": "10000",
    "first moment": "0001-01-01T00:00:00+23:59",
    "last moment": "9999-12-31T23:59:59-23:59",
    "opening brackets": "([" * 100,
    "many words": "a " * 1500,
    "line breaks": "\n\r\u2028",
}
SITE_NAMES = ("next", "code", "state", "error", "error_description", "iss", "reference")
READERS = re.compile(  # these use their parameters; all other pages get FEW_TEXTS
    "/(api/stats/?|dashboard/|signin|signout|accounts/(login|logout)/|admin/(login/|stats/stat/)?)$"
)
API_NAMES = [parameter.name for parameter in list_parameters()]
ADMIN_NAMES = ("q", "o", "p", "all", "e", "_popup", "_to_field", "_facets", "_changelist_filters")
AUTOCOMPLETE_NAMES = ("app_label", "model_name", "field_name", "term", "page")
LOOKUPS = ("", "__gte", "__range")
# Django itself rejects texts that a field cannot convert.
CONVERTIBLE = [
    text
    for name, text in TEXTS.items()
    if name.startswith(("NUL", "beyond", "year", "first", "last")) or name == "superscript"
]
# For pages that read few parameters, and those of the admin that differ only in their model.
FEW_TEXTS = [TEXTS[name] for name in ("NUL", "superscript", "beyond int()", "not UTF-8")]
MODELS = [model._meta.label_lower for model in admin.site._registry]


def urls():
    """Return every URL of the site, with `<name>` for each variable part."""
    views = extract_views_from_urlpatterns(get_resolver().url_patterns)
    return sorted({simplify_regex(regex) for _, regex, _, _ in views})


def lookups(model):
    """Yield the parameters that filter the admin's list of `model`, for each kind of field."""
    kinds = {(type(field), field.null): field for field in model._meta.get_fields()}
    for field in kinds.values():
        for lookup in LOOKUPS:
            yield field.name + lookup
        if isinstance(field, models.DateField):
            yield f"{field.name}__year"


@pytest.fixture
def clients(cognito_client, settings):
    """A superuser in a browser, and an editor with a token."""
    settings.DEBUG = False
    clients = (
        cognito_client("ada", groups=["admins"], bearer=False),
        cognito_client("grace", groups=["editors"], session=False),
    )
    for client in clients:
        client.raise_request_exception = False
    return clients


def assert_served(client, url):
    response = client.get(url)
    assert response.status_code < 500, url[:300]
    response.getvalue()


def test_no_text_in_a_path_is_an_error(clients):
    templates = [url for url in urls() if "<" in url]
    assert len(templates) > 30
    for text in TEXTS.values():
        for template in templates:
            client = clients["/admin/" not in template]
            assert_served(client, re.sub("<[^>]*>", quote(text, safe=""), template))


def test_no_text_after_a_path_is_an_error(clients):
    for url in urls():
        for ending in ("%00", "%FF", "%C2%B3"):
            client = clients["/admin/" not in url]
            assert_served(client, re.sub("<[^>]*>", "1", url) + ending)


def run_lists(client, model, queries):
    """Run the queries of lists of the admin, without the middleware and without rendering pages."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    request = client.get(url).wsgi_request
    for query in queries:
        request.GET = QueryDict(query)
        request.META["QUERY_STRING"] = query
        try:
            response = admin.site._registry[model].changelist_view(request)
            if isinstance(response, TemplateResponse):
                "".join(str(item.pk) for item in response.context_data["cl"].result_list)
        except SuspiciousOperation:
            continue  # a 400
        except Exception as error:
            error.add_note(f"{url}?{query[:300]}")
            raise


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_no_text_in_a_filter_of_the_admin_is_an_error(clients, model):
    ada, _ = clients
    base = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    names = (*ADMIN_NAMES, "kpi", "period")
    for parameter in names:
        for text in TEXTS.values() if model is Stat else FEW_TEXTS:
            assert_served(ada, f"{base}?{urlencode({parameter: text})}")
    cases = chain(product(["q"], TEXTS.values()), product(lookups(model), CONVERTIBLE))
    queries = (urlencode([case]) for case in cases)
    run_lists(ada, model, (query for query in queries if "%00" not in query))  # a 400


def test_no_text_in_a_form_of_the_admin_is_an_error(clients):
    ada, _ = clients
    Stat.objects.create(kpi="revenue", year=2020, month=3, value=1)
    counts = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1"}
    for label in MODELS:
        base = reverse(f"admin:{label.replace('.', '_')}_changelist")
        actions = re.findall('<option value="([a-z_]+)"', ada.get(base).text)
        for text in ("a\0b", "\u00b3", "9" * 20, "9" * 5000, "x", ""):
            for action in actions:
                form = {"action": action, "_selected_action": text, "index": "0"}
                assert ada.post(base, form).status_code == 400, (label, action, text[:30])
            for name in ("form-0-id", "form-0-value", "form-TOTAL_FORMS", "form-INITIAL_FORMS"):
                response = ada.post(base, {**counts, "_save": "1", name: text})
                assert response.status_code < 500, (label, name, text[:30])


def test_no_text_in_an_autocomplete_is_an_error(clients):
    ada, _ = clients
    good = {"app_label": "stats", "model_name": "stat", "field_name": "created_by", "term": "a"}
    for text in TEXTS.values():
        for name in AUTOCOMPLETE_NAMES:
            query = urlencode({**good, name: text})
            assert_served(ada, f"{reverse('admin:autocomplete')}?{query}")


def test_no_text_in_a_query_is_an_error(clients):
    ada, grace = clients
    stat = Stat.objects.create(kpi="revenue", year=2020, month=3, value=1)
    for template in urls():
        url = re.sub("<[^>]*>", str(stat.pk), template)
        for text in TEXTS.values() if READERS.match(url) else FEW_TEXTS:
            if re.match("/api/stats", url):
                for name in API_NAMES:
                    assert_served(grace, f"{url}?{urlencode({name: text})}")
            else:
                client = grace if re.match("/api/|/stats", url) else ada
                ours = (*SITE_NAMES, *API_NAMES)
                # With an unknown parameter, a list of the admin reads no other one.
                in_admin = url.startswith("/admin/")
                for names in (ours, ADMIN_NAMES) if in_admin else ((*ours, *ADMIN_NAMES),):
                    assert_served(client, f"{url}?{urlencode(dict.fromkeys(names, text))}")


@pytest.mark.parametrize("url", ["/api/stats/%00", "/api/%00", "/stats/%00"])
def test_nul_is_a_400_of_the_api(clients, url):
    for client in clients:
        response = client.get(url)
        assert response.status_code == 400
        assert response.json() == {
            "detail": "The URL holds a NUL character (%00). Leave it out.",
            "code": "bad_request",
            "error": "The URL holds a NUL character (%00). Leave it out.",
        }


@pytest.mark.parametrize("url", ["/api/stats?kpi=%00", "/stats?kpi=%00", "/stats?search=a%00b"])
def test_api_names_the_parameter_that_holds_nul(clients, url):
    response = clients[1].get(url)
    assert response.status_code == 400
    assert list(response.json()["fields"]) == [url.partition("?")[2].partition("=")[0]]


@pytest.mark.parametrize(
    "url", ["/admin/accounts/signinevent/?reason=%00", "/dashboard/%00", "/%00"]
)
def test_nul_is_a_400_page_outside_of_the_api(clients, url):
    response = clients[0].get(url)
    assert response.status_code == 400
    assert "<h1>" in response.text


def test_percent_sign_before_two_zeros_is_not_nul(clients):
    assert clients[1].get("/api/stats?kpi=%2500").status_code == 200
    assert clients[1].get("/api/stats?kpi=50%25").status_code == 200


@pytest.mark.parametrize("name", ["\u00b3", "9" * 5000, "_00", "x"])
@pytest.mark.parametrize("page", ["history", "change", "delete"])
def test_impossible_id_is_not_found_in_the_admin(clients, page, name):
    response = clients[0].get(f"/admin/stats/stat/{quote(name)}/{page}/")
    assert (response.status_code, response["Location"]) == (302, "/admin/")


@pytest.mark.parametrize(
    "query",
    [
        "updated_at__year=10000",
        "updated_at__range=1",
        "updated_at__gte=0001-01-01T00:00:00%2B23:59",
    ],
)
def test_invalid_filter_redirects_to_the_whole_list(clients, query):
    response = clients[0].get(f"/admin/stats/stat/?{query}")
    assert (response.status_code, response["Location"]) == (302, "/admin/stats/stat/?e=1")


def test_filter_with_a_regular_expression_is_refused(clients):
    for lookup in ("regex", "iregex"):
        assert clients[0].get(f"/admin/stats/stat/?kpi__{lookup}=a").status_code == 400


def test_error_of_an_unfiltered_list_is_a_500(clients, monkeypatch):
    def fail(*args):
        raise ValueError("a fault of ours")

    monkeypatch.setattr(type(admin.site._registry[Stat]), "get_queryset", fail)
    assert clients[0].get("/admin/stats/stat/").status_code == 500
