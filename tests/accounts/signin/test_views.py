"""Hooks of the views of mozilla-django-oidc, in a host project that routes subclasses."""

import pytest
from django.http import HttpResponse
from django.urls import include, path, reverse

from accounts.models import SignInEvent
from accounts.signin.views import CallbackView, SignInView, SignUpView
from accounts.testing.fake import FakeUser
from tests.flows.conftest import query_of

pytestmark = pytest.mark.django_db

OWN_PARAMETERS = {"client_id", "code_challenge", "code_challenge_method", "nonce", "redirect_uri"}
OWN_PARAMETERS |= {"response_type", "scope", "state"}


class TenantMixin:
    def get_extra_params(self, request):
        replaced = dict.fromkeys((*OWN_PARAMETERS, "prompt"), "replaced")
        return {**replaced, "identity_provider": request.GET.get("tenant", ""), "lang": "de"}


class TenantSignIn(TenantMixin, SignInView):
    pass


class TenantSignUp(TenantMixin, SignUpView):
    pass


class DescribingCallback(CallbackView):
    def login_success(self):
        response = super().login_success()
        response["X-User"] = f"{self.user.email} {self.sign_in.user == self.user}"
        response["X-Next"] = self.attempt.next_url
        return response

    def login_failure(self):
        return HttpResponse(f"{self.error.code} {self.attempt is not None}", status=418)


urlpatterns = [
    path("accounts/login/", TenantSignIn.as_view()),
    path("accounts/signup/", TenantSignUp.as_view()),
    path("signin", DescribingCallback.as_view()),
    path("", include("sso_project.urls")),
]


@pytest.fixture
def host(cognito, settings):
    settings.ROOT_URLCONF = __name__


@pytest.mark.parametrize("page", ["accounts:login", "accounts:signup"])
def test_extra_parameters_are_added_and_replace_none_of_our_own(client, host, page):
    query = query_of(client.get(reverse(page), {"tenant": "Google"})["Location"])
    assert set(query) == {*OWN_PARAMETERS, "identity_provider", "lang", "prompt"}
    assert (query["identity_provider"], query["lang"]) == ("Google", "de")
    assert not [name for name in OWN_PARAMETERS if query[name] == "replaced"]


def test_prompt_of_another_account_is_not_replaced(client, host):
    query = query_of(client.get(reverse("accounts:login"), {"another": "1"})["Location"])
    assert query["prompt"] == "login"
    assert "identity_provider" not in query  # empty


def test_login_success_reads_the_view(client, cognito, host):
    query = query_of(client.get(reverse("accounts:login"), {"next": "/profile/"})["Location"])
    code = cognito.authorize(FakeUser("ada", nonce=query["nonce"]))
    response = client.get(reverse("accounts:callback"), {"code": code, "state": query["state"]})
    assert (response["Location"], response["X-Next"]) == ("/profile/", "/profile/")
    assert response["X-User"] == "ada@example.com True"


def test_login_failure_reads_the_view_and_records_the_refusal(client, host):
    query = query_of(client.get(reverse("accounts:login"))["Location"])
    callback = {"error": "access_denied", "state": query["state"]}
    response = client.get(reverse("accounts:callback"), callback)
    assert (response.status_code, response.text) == (418, "provider_refused True")
    assert SignInEvent.objects.get(kind="refused").reason == "provider_refused"


def test_login_failure_without_an_attempt_has_none(client, host):
    response = client.get(reverse("accounts:callback"), {"state": ["a", "b"]})
    assert (response.status_code, response.text) == (418, "invalid_callback False")
