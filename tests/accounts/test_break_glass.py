"""The password page of the admin: off unless switched on, for staff, recorded, throttled."""

from datetime import timedelta

import pytest
from django.core import checks
from django.urls import reverse

from accounts import break_glass
from accounts.models import SignIn, SignInEvent, User

pytestmark = pytest.mark.django_db
PAGE = "/admin/break-glass/"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def emergency():
    return User.objects.create_superuser("emergency", password=PASSWORD)


@pytest.fixture
def opened(settings, emergency):
    settings.BREAK_GLASS_LOGIN = True
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, break_glass.BACKEND]


def enter(client, username="emergency", password=PASSWORD, **more):
    return client.post(PAGE, {"username": username, "password": password, **more})


def warnings():
    return [each for each in checks.run_checks() if each.id == "accounts.W004"]


def test_page_is_not_there_until_it_is_switched_on(client, emergency):
    assert client.get(PAGE).status_code == 404
    assert enter(client).status_code == 404
    assert client.get("/admin/").status_code == 302
    assert warnings() == []


def test_password_is_no_way_in_while_off_even_with_the_backend(client, settings, opened):
    settings.BREAK_GLASS_LOGIN = False
    assert not client.login(username="emergency", password=PASSWORD)


def test_check_warns_while_it_is_on(opened):
    (warning,) = warnings()
    assert "BREAK_GLASS_LOGIN=0" in warning.hint


def test_staff_come_in_for_an_hour_and_it_is_recorded(client, opened, emergency):
    assert client.get(PAGE).status_code == 200
    answer = enter(client)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200
    assert 3590 < client.session.get_expiry_age() <= 3600
    event = SignInEvent.objects.get(kind="signed in")
    assert (event.user, event.reason, event.address) == (emergency, "break_glass", "127.0.0.1")
    assert PASSWORD not in str(SignInEvent.objects.values_list("details", flat=True))


def test_switching_it_off_ends_the_session(client, opened, settings):
    enter(client)
    settings.BREAK_GLASS_LOGIN = False
    assert client.get("/admin/").status_code == 302


def test_signing_out_needs_no_cognito(client, opened):
    enter(client)
    answer = client.post(reverse("accounts:logout"))
    assert answer["Location"] == "/signout"
    assert client.get("/admin/").status_code == 302
    assert SignInEvent.objects.get(kind="signed out").reason == "break_glass"


@pytest.mark.parametrize(
    ("username", "password"),
    [("emergency", "wrong"), ("nobody", PASSWORD), ("reader", PASSWORD), ("former", PASSWORD)],
)
def test_others_are_refused_and_recorded(client, opened, username, password):
    User.objects.create_user("reader", password=PASSWORD)
    User.objects.create_superuser("former", password=PASSWORD, is_active=False)
    answer = enter(client, username, password)
    assert answer.status_code == 200
    assert "errornote" in answer.text
    assert client.get("/admin/").status_code == 302
    event = SignInEvent.objects.get()
    assert (event.kind, event.reason) == ("refused", "break_glass")
    assert str(event.user.username if event.user else "nobody") == username


def test_person_of_the_pool_has_no_password(client, opened, cognito_client):
    ada = cognito_client("ada", groups=["admins"]).user
    assert enter(client, ada.username, "").status_code == 200
    assert enter(client, ada.username, "!").status_code == 200
    assert client.get("/admin/").status_code == 302


def test_guessing_is_stopped_even_with_the_right_password(client, opened):
    for _ in range(break_glass.MOST_OF_NAME):
        assert enter(client, password="guess").status_code == 200
    for _ in range(3):
        answer = enter(client)
        assert answer.status_code == 429
        assert answer["Retry-After"] == "900"
    assert client.get("/admin/").status_code == 302
    told = [event.details["why"] for event in SignInEvent.objects.order_by("pk")]
    assert told == ["wrong name or password"] * 5 + ["too many attempts"]


def test_look_alikes_of_a_name_share_its_count(client, opened, emergency):
    fullwidth = "".join(chr(ord(letter) + 0xFEE0) for letter in emergency.username)
    for _ in range(break_glass.MOST_OF_NAME):
        assert enter(client, fullwidth, "guess").status_code == 200
    assert enter(client).status_code == 429
    assert set(SignInEvent.objects.values_list("user", flat=True)) == {emergency.pk}


def test_hour_is_not_counted_anew_when_the_session_changes(client, opened):
    enter(client)
    session = client.session
    ends_at = session.get_expiry_date()
    session["seen"] = "something"
    session.save()
    assert client.session.get_expiry_date() == ends_at
    later = ends_at + timedelta(seconds=1)
    assert client.session.get_expiry_age(modification=later) < 0


def test_guessing_many_names_is_stopped(client, opened):
    for number in range(break_glass.MOST_OF_ADDRESS):
        assert enter(client, f"name-{number}", "guess").status_code == 200
    assert enter(client).status_code == 429


def test_foreign_page_cannot_post_the_form(opened):
    from django.test import Client

    assert enter(Client(enforce_csrf_checks=True)).status_code == 403


def test_sign_in_of_the_same_browser_is_replaced(opened, cognito_client):
    ada = cognito_client("ada", groups=["admins"])
    enter(ada)
    assert SignIn.objects.get().end_reason == "replaced"
    assert ada.user.username == "emergency"
    assert ada.get("/admin/").status_code == 200
