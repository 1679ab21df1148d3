"""Views that require a recent or a stronger sign-in: pages, the API and the admin."""

from datetime import timedelta
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.decorators import recent_sign_in_required
from accounts.models import SignIn, User
from accounts.permissions import RecentSignIn
from accounts.testing import mint_access_token
from sso_project.urls import urlpatterns as site_urlpatterns

LEVELS = [f"urn:cognito:loa:{level}" for level in range(1, 5)]
AN_HOUR = 3600

pytestmark = [pytest.mark.django_db, pytest.mark.undocumented_responses]


@recent_sign_in_required(max_age=600)
def transfer(request):
    return HttpResponse("transferred")


@recent_sign_in_required(acr=LEVELS[2])
def vault(request):
    return HttpResponse("open")


class Recent(APIView):
    permission_classes = (RecentSignIn(max_age=600),)

    def get(self, request):
        return Response({})


class Strong(APIView):
    permission_classes = (RecentSignIn(acr=LEVELS[2]),)

    def get(self, request):
        return Response({})


urlpatterns = [
    path("transfer/", transfer),
    path("vault/", vault),
    path("api/recent", Recent.as_view()),
    path("api/strong", Strong.as_view()),
    *site_urlpatterns,
]


@pytest.fixture(autouse=True)
def views(settings):
    settings.ROOT_URLCONF = __name__


def query_of(response):
    return parse_qs(urlsplit(response["Location"]).query)


@pytest.mark.parametrize(
    ("url", "options", "status"),
    [
        ("/transfer/", {}, 200),
        ("/transfer/", {"seconds_ago": AN_HOUR}, 302),
        ("/vault/", {"acr": LEVELS[2], "seconds_ago": AN_HOUR}, 200),
        ("/vault/", {"acr": LEVELS[3]}, 200),
        ("/vault/", {"acr": LEVELS[0]}, 302),
        ("/vault/", {}, 302),
    ],
)
def test_page_requires_the_sign_in(cognito_client, url, options, status):
    assert cognito_client("ada", bearer=False, **options).get(url).status_code == status


@pytest.mark.parametrize(
    ("url", "options", "status"),
    [
        ("/api/recent", {}, 200),
        ("/api/recent", {"seconds_ago": AN_HOUR}, 401),
        ("/api/strong", {"acr": LEVELS[2]}, 200),
        ("/api/strong", {"acr": LEVELS[1]}, 401),
        ("/api/strong", {}, 401),
    ],
)
@pytest.mark.parametrize("by", ["session", "bearer"])
def test_api_requires_the_sign_in(cognito_client, url, options, status, by):
    client = cognito_client("ada", **{"session": False, "bearer": False, by: True}, **options)
    assert client.get(url).status_code == status


def test_user_is_redirected_to_a_sign_in_that_is_sufficient_and_back(cognito_client):
    client = cognito_client("ada", bearer=False, seconds_ago=AN_HOUR)
    response = client.get("/transfer/?to=grace")
    assert query_of(response) == {"next": ["/transfer/?to=grace"], "max_age": ["600"]}
    hosted_ui = client.get(response["Location"])
    assert query_of(hosted_ui)["max_age"] == ["600"]


def test_level_is_requested_with_the_higher_ones(cognito_client):
    response = cognito_client("ada", bearer=False).get("/vault/")
    assert query_of(response)["acr_values"] == [f"{LEVELS[2]} {LEVELS[3]}"]


def test_form_returns_to_the_page_that_holds_it(cognito_client):
    client = cognito_client("ada", bearer=False, seconds_ago=AN_HOUR)
    response = client.post("/transfer/", HTTP_REFERER="http://testserver/form/?a=1")
    assert query_of(response)["next"] == ["/form/?a=1"]


def test_script_gets_a_401_with_the_url_to_sign_in(cognito_client):
    client = cognito_client("ada", bearer=False, seconds_ago=AN_HOUR)
    response = client.get("/transfer/", HTTP_ACCEPT="application/json")
    assert response.status_code == 401
    assert response.json()["code"] == "insufficient_user_authentication"
    assert "max_age=600" in response.json()["login_url"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_htmx_goes_to_a_sign_in_that_is_sufficient(cognito_client, method):
    client = cognito_client("ada", bearer=False, seconds_ago=AN_HOUR)
    response = getattr(client, method)("/transfer/", HTTP_HX_REQUEST="true")
    assert response.status_code == 401
    assert "max_age=600" in response["HX-Redirect"]
    assert "max_age" in client.get(response["HX-Redirect"])["Location"]


def test_htmx_goes_to_a_sufficient_sign_in_from_the_api(cognito_client):
    client = cognito_client("ada", bearer=False, seconds_ago=AN_HOUR)
    assert "max_age=600" in client.get("/api/recent", HTTP_HX_REQUEST="true")["HX-Redirect"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_step_up_does_not_depend_on_the_page_of_login_url(cognito_client, settings, method):
    settings.LOGIN_URL = "/admin/login/"
    client = cognito_client("ada", bearer=False, groups=["admins"], seconds_ago=AN_HOUR)
    response = getattr(client, method)("/transfer/")
    assert response["Location"].startswith("/accounts/login/?")


def test_session_of_one_user_does_not_vouch_for_another(cognito_client):
    class ByName(BaseAuthentication):
        def authenticate(self, request):
            return User.objects.get_or_create(username="victim")[0], None

    class Stolen(Recent):
        authentication_classes = (ByName,)

    client = cognito_client("mallory", bearer=False)
    request = RequestFactory().get("/api/recent")
    request.session, request.sign_in = client.session, SignIn.objects.get()
    assert Stolen.as_view()(request).status_code == 401


def test_service_that_acts_for_a_user_is_refused(cognito_client, settings):
    settings.COGNITO = {**settings.COGNITO, "ACTORS": ["4exampleservice12345"]}
    client = cognito_client.anonymous()
    client.bear(mint_access_token("ada", claims={"act": {"sub": "4exampleservice12345"}}))
    assert client.get("/api/user").status_code == 200
    assert client.get("/api/recent").status_code == 401


def test_challenge_names_what_is_required(cognito_client):
    client = cognito_client("ada", session=False, acr=LEVELS[0])
    challenge = client.get("/api/strong")["WWW-Authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert f'acr_values="{LEVELS[2]} {LEVELS[3]}"' in challenge


def test_machine_is_forbidden(cognito_client):
    assert cognito_client.machine().get("/api/recent").status_code == 403


def test_level_of_a_trusted_pool_does_not_count(cognito_client, settings):
    settings.COGNITO = {
        **settings.COGNITO,
        "TRUSTED_POOLS": {"us-east-1_Foreign01": {"clients": ["3examplepartner12345"]}},
    }
    claims = {"client_id": "3examplepartner12345", "acr": LEVELS[3]}
    client = cognito_client.anonymous()
    client.bear(mint_access_token("mallory", foreign=True, claims=claims))
    assert client.get("/api/strong").status_code == 401


def test_anonymous_visitor_signs_in(client):
    response = client.get("/transfer/")
    assert (response.status_code, query_of(response)["max_age"]) == (302, ["600"])


# --- The admin ------------------------------------------------------------------------------------


@pytest.fixture
def admin_step_up(settings):
    settings.COGNITO = {**settings.COGNITO, "ADMIN_STEP_UP": {"max_age": 600}}


@pytest.mark.parametrize(("seconds_ago", "changes"), [(0, True), (AN_HOUR, False)])
def test_change_of_a_user_in_the_admin_requires_a_recent_sign_in(
    cognito_client, admin_step_up, seconds_ago, changes
):
    client = cognito_client("ada", groups=["admins"], bearer=False, seconds_ago=seconds_ago)
    other = User.objects.create_user("other")
    page = "/admin/accounts/user/"
    assert client.get(page).status_code == 200
    form = {"action": "deactivate", "_selected_action": [other.pk]}
    response = client.post(page, form, HTTP_REFERER=f"http://testserver{page}")
    other.refresh_from_db()
    assert other.is_active is not changes
    if not changes:
        assert query_of(response) == {"next": [page], "max_age": ["600"]}


def test_other_pages_of_the_admin_require_nothing(cognito_client, admin_step_up):
    client = cognito_client("ada", groups=["admins"], bearer=False, seconds_ago=AN_HOUR)
    figure = {"kpi": "visits", "year": 2026, "month": 1, "value": 1}
    response = client.post("/admin/stats/stat/add/", figure)
    assert "max_age" not in response.get("Location", "")


@pytest.mark.parametrize(
    ("url", "age", "status"),
    [("/transfer/", 0, 200), ("/transfer/", AN_HOUR, 302), ("/vault/", 0, 302)],
)
def test_break_glass_sign_in_is_as_old_as_its_password_and_has_no_level(
    cognito_client, url, age, status
):
    client = cognito_client("ada", bearer=False)
    signed_in_at = timezone.now() - timedelta(seconds=age)
    # A break-glass sign-in has no issuer.
    SignIn.objects.update(issuer="", auth_time=0, sealed_tokens="", signed_in_at=signed_in_at)
    with patch("accounts.sessions.limits.break_glass_enabled", return_value=True):
        assert client.get(url).status_code == status


def test_session_without_a_sign_in_is_not_recent(client):
    client.force_login(User.objects.create_user("ada"))
    assert client.get("/transfer/").status_code == 302
