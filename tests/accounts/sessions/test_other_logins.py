import pytest
from django.contrib.auth import login
from django.contrib.auth.views import LogoutView
from django.http import HttpResponse
from django.urls import include, path

from accounts.models import PendingRevocation, SignIn, User
from accounts.testing import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def become_operator(request):
    operator = User.objects.get(username="operator")
    login(request, operator, backend="accounts.backends.BreakGlassBackend")
    return HttpResponse()


urlpatterns = [
    path("log-out/", LogoutView.as_view(next_page="/")),
    path("become-operator/", become_operator),
    path("", include("sso_project.urls")),
]


def test_logout_of_django_ends_the_sign_in_and_revokes_its_refresh_token(cognito):
    client = signed_in("ada", cognito=cognito)
    client.post("/log-out/")
    sign_in = SignIn.objects.get()
    assert (sign_in.end_reason, sign_in.sealed_tokens) == (SignIn.EndReason.SIGNED_OUT, "")
    assert cognito.calls.count("revoke") == 1
    assert not PendingRevocation.objects.exists()


def test_logout_of_django_succeeds_while_cognito_is_unavailable(cognito):
    client = signed_in("ada", cognito=cognito)
    cognito.down = True
    assert client.post("/log-out/").status_code == 302
    assert not SignIn.objects.live().exists()
    assert PendingRevocation.objects.count() == 1


def test_login_of_another_user_ends_the_sign_in(cognito):
    User.objects.create_superuser("operator")
    client = signed_in("ada", cognito=cognito)
    client.get("/become-operator/")
    assert SignIn.objects.get().end_reason == SignIn.EndReason.REPLACED


def test_logout_without_a_sign_in_is_as_in_django(client):
    client.force_login(User.objects.create_user("ada"))
    assert client.post("/log-out/").status_code == 302
    assert "_auth_user_id" not in client.session
