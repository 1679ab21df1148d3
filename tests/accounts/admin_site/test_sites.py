"""The admin is entered through the hosted UI, and left through our sign-out."""

import pytest

from accounts.models import SignIn

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("asked", "leads_to"),
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
def test_nobody_is_led_to_sign_in_and_back(client, asked, leads_to):
    answer = client.get(asked)
    assert (answer.status_code, answer["Location"]) == (302, leads_to)


@pytest.mark.parametrize("asked", ["/admin/", "/admin/login/?next=/admin/", "/admin/stats/stat/"])
def test_person_who_is_not_staff_is_told_so_where_they_are(cognito_client, asked):
    answer = cognito_client("linus").get(asked)
    assert answer.status_code == 403
    assert "Use another account" in answer.text
    assert "another=1" in answer.text


def test_staff_who_ask_to_sign_in_go_on(cognito_client):
    answer = cognito_client("ada", groups=["admins"]).get("/admin/login/?next=/admin/stats/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/stats/")


def test_admin_signs_out_as_the_site_does(cognito_client):
    ada = cognito_client("ada", groups=["admins"], enforce_csrf_checks=True)
    ada.get("/admin/")
    form = {"csrfmiddlewaretoken": ada.cookies["csrftoken"].value}
    answer = ada.post("/admin/logout/", form)
    assert answer.status_code == 302
    assert "/logout?" in answer["Location"]
    assert SignIn.objects.get().end_reason == "signed_out"
    assert ada.get("/admin/")["Location"] == "/accounts/login/?next=%2Fadmin%2F"


def test_foreign_page_cannot_sign_staff_out(cognito_client):
    ada = cognito_client("ada", groups=["admins"], enforce_csrf_checks=True)
    assert ada.post("/admin/logout/").status_code == 403
    assert SignIn.objects.live().exists()


def test_script_of_the_admin_hears_that_nobody_is_signed_in(client):
    answer = client.get("/admin/autocomplete/", headers={"Accept": "application/json"})
    assert answer.status_code == 401
