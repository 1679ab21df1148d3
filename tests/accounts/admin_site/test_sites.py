"""The admin uses the sign-in through the hosted UI, and the sign-out of the site."""

import pytest
from django.contrib import admin
from django.utils import translation

from accounts.models import SignIn, User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/admin/", "/accounts/login/?next=%2Fadmin%2F"),
        (
            "/admin/accounts/user/?q=a",
            "/accounts/login/?next=%2Fadmin%2Faccounts%2Fuser%2F%3Fq%3Da",
        ),
        ("/admin/no-such-page/", "/accounts/login/?next=%2Fadmin%2Fno-such-page%2F"),
        ("/admin/login/", "/accounts/login/?next=%2Fadmin%2F"),
        ("/admin/login/?next=/admin/stats/", "/accounts/login/?next=%2Fadmin%2Fstats%2F"),
        ("/admin/login/?next=/admin/login/", "/accounts/login/?next=%2Fadmin%2F"),
        ("/admin/login/?next=https://evil.example/", "/accounts/login/?next=%2Fadmin%2F"),
    ],
)
def test_anonymous_request_is_redirected_to_the_sign_in(client, path, location):
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, location)


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/?next=/admin/", "/admin/stats/stat/"])
def test_user_without_staff_status_gets_403_without_a_redirect(cognito_client, path):
    response = cognito_client("linus").get(path)
    assert response.status_code == 403
    assert "Use another account" in response.text
    assert "another=1" in response.text


def test_login_page_redirects_signed_in_staff_to_next(cognito_client):
    response = cognito_client("ada", groups=["admins"]).get("/admin/login/?next=/admin/stats/")
    assert (response.status_code, response["Location"]) == (302, "/admin/stats/")


def test_sign_out_of_the_admin_is_that_of_the_site(cognito_client):
    ada = cognito_client("ada", groups=["admins"], enforce_csrf_checks=True)
    ada.get("/admin/")
    form = {"csrfmiddlewaretoken": ada.cookies["csrftoken"].value}
    response = ada.post("/admin/logout/", form)
    assert response.status_code == 302
    assert "/logout?" in response["Location"]
    assert SignIn.objects.get().end_reason == "signed_out"
    assert ada.get("/admin/")["Location"] == "/accounts/login/?next=%2Fadmin%2F"


def test_foreign_page_cannot_sign_staff_out(cognito_client):
    ada = cognito_client("ada", groups=["admins"], enforce_csrf_checks=True)
    assert ada.post("/admin/logout/").status_code == 403
    assert SignIn.objects.live().exists()


def test_anonymous_script_of_the_admin_gets_401(client):
    response = client.get("/admin/autocomplete/", headers={"Accept": "application/json"})
    assert response.status_code == 401


@pytest.mark.parametrize("language", ["en", "de"])
def test_checkbox_of_a_row_is_the_one_that_django_renders(language):
    model_admin = admin.site.get_model_admin(User)
    user = User(pk=7, username='"><b>')
    with translation.override(language):
        expected = admin.ModelAdmin.action_checkbox(model_admin, user)
        assert model_admin.action_checkbox(user) == expected
