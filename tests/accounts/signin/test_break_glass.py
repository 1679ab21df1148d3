"""The break-glass page of the admin: off by default, for staff only, recorded and throttled."""

from datetime import timedelta
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import checks
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import RateCounter, SignIn, SignInEvent, User
from accounts.sessions import limits, sign_out
from accounts.signin import break_glass
from accounts.testing.fake import FakeUser

pytestmark = pytest.mark.django_db
PAGE = "/admin/break-glass/"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def emergency_user():
    return User.objects.create_superuser("emergency", password=PASSWORD)


@pytest.fixture
def enabled(settings, emergency_user):
    settings.BREAK_GLASS_LOGIN = True
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, break_glass.BACKEND]


def sign_in(client, username="emergency", password=PASSWORD, **fields):
    return client.post(PAGE, {"username": username, "password": password, **fields})


def warnings():
    return [message for message in checks.run_checks() if message.id == "accounts.W004"]


def test_password_can_be_changed_in_the_admin(client, enabled, emergency_user):
    sign_in(client)
    form = {"old_password": PASSWORD, "new_password1": "staple-battery-12"}
    form["new_password2"] = form["new_password1"]
    response = client.post("/admin/password_change/", form)
    assert (response.status_code, response["Location"]) == (302, "/admin/password_change/done/")
    assert client.get("/admin/").status_code == 200
    emergency_user.refresh_from_db()
    assert emergency_user.check_password("staple-battery-12")


def test_pool_user_has_no_password_to_change(cognito_client):
    ada = cognito_client("ada", groups=["admins"])
    assert ada.get("/admin/password_change/").status_code == 404
    assert "password_change" not in ada.get("/admin/").text


def test_page_is_404_until_it_is_enabled(client, emergency_user):
    assert client.get(PAGE).status_code == 404
    assert sign_in(client).status_code == 404
    assert client.get("/admin/").status_code == 302
    assert warnings() == []


def test_password_is_refused_while_disabled_even_with_the_backend(client, settings, enabled):
    settings.BREAK_GLASS_LOGIN = False
    assert not client.login(username="emergency", password=PASSWORD)


def test_check_warns_while_enabled(enabled):
    (warning,) = warnings()
    assert "BREAK_GLASS_LOGIN=0" in warning.hint


def test_staff_sign_in_for_an_hour_and_the_sign_in_is_recorded(client, enabled, emergency_user):
    assert client.get(PAGE).status_code == 200
    response = sign_in(client)
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200
    assert 3590 < client.session.get_expiry_age() <= 3600
    event = SignInEvent.objects.get(kind="signed_in")
    assert (event.user, event.reason, event.ip_address) == (
        emergency_user,
        "break_glass",
        "127.0.0.1",
    )
    assert PASSWORD not in str(SignInEvent.objects.values_list("details", flat=True))


def test_disabling_the_page_ends_its_sessions(client, enabled, settings):
    sign_in(client)
    settings.BREAK_GLASS_LOGIN = False
    assert client.get("/admin/").status_code == 302
    assert SignIn.objects.get().end_reason == "switched_off"
    settings.BREAK_GLASS_LOGIN = True
    assert client.get("/admin/").status_code == 302


def test_signing_out_needs_no_cognito(client, enabled):
    sign_in(client)
    response = client.post(reverse("accounts:logout"))
    assert response["Location"] == "/signout"
    assert client.get("/admin/").status_code == 302
    assert SignInEvent.objects.get(kind="signed_out").reason == "signed_out"


def sign_out_everywhere(user):
    sign_out.sign_out_everywhere(user)


def run_command(user):
    call_command("cognito_sign_out_user", user.username, stdout=StringIO())


def deactivate(user):
    user.is_active = False
    user.save()


def deactivate_in_bulk(user):
    User.objects.filter(pk=user.pk).update(is_active=False)
    call_command("cognito_sign_out_user", "--inactive", stdout=StringIO())


@pytest.mark.parametrize("end", [sign_out_everywhere, run_command, deactivate, deactivate_in_bulk])
def test_ending_a_users_sessions_ends_this_one_at_the_next_request(
    client, enabled, emergency_user, end
):
    sign_in(client)
    end(emergency_user)
    assert client.get("/admin/").status_code == 302
    assert "_auth_user_id" not in client.session
    assert not SignIn.objects.live().exists()
    User.objects.update(is_active=True)
    assert client.get("/admin/").status_code == 302


def test_session_is_listed_and_ended_in_the_admin(client, enabled, emergency_user):
    sign_in(client)
    staff = Client()
    staff.force_login(User.objects.create_superuser("another"))
    page = reverse("admin:accounts_user_change", args=[emergency_user.pk])
    assert "with a password (break-glass)" in staff.get(page).text
    own_sign_in = SignIn.objects.get()
    assert (own_sign_in.user, own_sign_in.ip_address, own_sign_in.sealed_tokens) == (
        emergency_user,
        "127.0.0.1",
        "",
    )
    form = {"action": "end_sign_ins", "_selected_action": [own_sign_in.pk]}
    staff.post(reverse("admin:accounts_signin_changelist"), form)
    assert client.get("/admin/").status_code == 302
    assert "No current sessions." in staff.get(page).text


def test_profile_shows_the_session_and_signs_out_without_cognito(client, enabled):
    sign_in(client)
    page = client.get(reverse("accounts:profile")).text
    assert "with a password" in page
    assert "as Cognito sent it" not in page
    assert "Access token expires" not in page
    response = client.post(reverse("accounts:sign_out_everywhere"))
    assert response["Location"] == "/signout"
    assert client.get("/admin/").status_code == 302


def test_session_ends_after_an_hour(client, enabled):
    sign_in(client)
    SignIn.objects.update(signed_in_at=timezone.now() - limits.BREAK_GLASS_LIFETIME)
    assert client.get("/admin/").status_code == 302
    assert SignIn.objects.get().end_reason == "too_old"


def test_housekeeping_ends_expired_sessions(client, enabled, settings):
    sign_in(client)
    call_command("cognito_housekeeping", stdout=StringIO())
    assert SignIn.objects.live().count() == 1
    SignIn.objects.update(signed_in_at=timezone.now() - limits.BREAK_GLASS_LIFETIME)
    call_command("cognito_housekeeping", stdout=StringIO())
    assert SignIn.objects.get().end_reason == "too_old"
    sign_in(client)
    settings.BREAK_GLASS_LOGIN = False
    call_command("cognito_housekeeping", stdout=StringIO())
    assert SignIn.objects.latest("pk").end_reason == "switched_off"


@pytest.mark.parametrize(
    ("username", "password"),
    [("emergency", "wrong"), ("nobody", PASSWORD), ("reader", PASSWORD), ("former", PASSWORD)],
)
def test_invalid_credentials_are_refused_and_recorded(client, enabled, username, password):
    User.objects.create_user("reader", password=PASSWORD)
    User.objects.create_superuser("former", password=PASSWORD, is_active=False)
    response = sign_in(client, username, password)
    assert response.status_code == 200
    assert "errornote" in response.text
    assert client.get("/admin/").status_code == 302
    event = SignInEvent.objects.get()
    assert (event.kind, event.reason) == ("refused", "break_glass")
    assert str(event.user.username if event.user else "nobody") == username


def test_pool_user_cannot_sign_in_with_a_password(client, enabled, cognito_client):
    ada = cognito_client("ada", groups=["admins"]).user
    assert sign_in(client, ada.username, "").status_code == 200
    assert sign_in(client, ada.username, "!").status_code == 200
    assert client.get("/admin/").status_code == 302


def test_username_limit_refuses_even_the_right_password(client, enabled):
    for _ in range(break_glass.MAX_ATTEMPTS_PER_USERNAME):
        assert sign_in(client, password="guess").status_code == 200
    for _ in range(3):
        response = sign_in(client)
        assert response.status_code == 429
        assert response["Retry-After"] == "900"
    assert client.get("/admin/").status_code == 302
    reasons = [event.details["why"] for event in SignInEvent.objects.order_by("pk")]
    assert reasons == ["wrong username or password"] * 5 + ["too many attempts"]


def test_lookalikes_of_a_username_share_its_counter(client, enabled, emergency_user):
    fullwidth = "".join(chr(ord(letter) + 0xFEE0) for letter in emergency_user.username)
    for _ in range(break_glass.MAX_ATTEMPTS_PER_USERNAME):
        assert sign_in(client, fullwidth, "guess").status_code == 200
    assert sign_in(client).status_code == 429
    assert set(SignInEvent.objects.values_list("user", flat=True)) == {emergency_user.pk}


@pytest.mark.parametrize("name", ["emer\x00gency", " ", "x" * 151])
def test_invalid_username_is_refused_and_counted(client, enabled, name):
    """A zero byte is an error in PostgreSQL, and normalizing a long text can take hours."""
    assert break_glass.normalize_username(name) == ""
    for _ in range(break_glass.MAX_ATTEMPTS_PER_USERNAME):
        assert sign_in(client, name).status_code == 200
    assert sign_in(client, name).status_code == 429
    refusals = SignInEvent.objects.filter(kind="refused", user=None)
    assert refusals.count() == break_glass.MAX_ATTEMPTS_PER_USERNAME + 1


def test_hour_does_not_restart_when_the_session_changes(client, enabled):
    sign_in(client)
    session = client.session
    ends_at = session.get_expiry_date()
    session["seen"] = "something"
    session.save()
    assert client.session.get_expiry_date() == ends_at
    later = ends_at + timedelta(seconds=1)
    assert client.session.get_expiry_age(modification=later) < 0


def test_ip_address_limit_counts_all_usernames(client, enabled):
    for number in range(break_glass.MAX_ATTEMPTS_PER_IP):
        assert sign_in(client, f"name-{number}", "guess").status_code == 200
    assert sign_in(client).status_code == 429


def test_attempts_beyond_the_ip_address_limit_store_nothing(client, enabled, monkeypatch):
    """They store no counter for the username, do not normalize it, and hash no password."""
    statuses = [sign_in(client, f"name-{number}", "guess").status_code for number in range(30)]
    assert statuses == [200] * break_glass.MAX_ATTEMPTS_PER_IP + [429] * 20
    assert RateCounter.objects.count() == break_glass.MAX_ATTEMPTS_PER_IP + 1
    assert SignInEvent.objects.count() == break_glass.MAX_ATTEMPTS_PER_IP + 1
    counters = list(RateCounter.objects.order_by("pk").values())
    for name in ("normalize_username", "salted_hmac"):
        monkeypatch.setattr(break_glass, name, lambda *args: pytest.fail("the name was read"))
    monkeypatch.setattr(User, "check_password", lambda *args: pytest.fail("it was hashed"))
    for name in ("emergency", "another", "x" * 100_000):
        assert sign_in(client, name).status_code == 429
    assert list(RateCounter.objects.order_by("pk").values()) == counters


def test_attempts_beyond_the_username_limit_hash_no_password(client, enabled, monkeypatch):
    for number in range(break_glass.MAX_ATTEMPTS_PER_USERNAME):
        assert sign_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), password="guess").status_code == 200
    monkeypatch.setattr(User, "check_password", lambda *args: pytest.fail("it was hashed"))
    assert [sign_in(client).status_code for _ in range(3)] == [429] * 3
    assert SignInEvent.objects.count() == break_glass.MAX_ATTEMPTS_PER_USERNAME + 1


def test_operator_with_a_locked_username_uses_another_account(client, enabled):
    """docs/people.md recommends this: an attacker does not know the new username."""
    for number in range(break_glass.MAX_ATTEMPTS_PER_USERNAME):
        sign_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), password="guess")
    assert sign_in(client).status_code == 429
    User.objects.create_superuser("nobody-guesses-this", password=PASSWORD)
    assert sign_in(client, "nobody-guesses-this").status_code == 302


def test_form_requires_a_csrf_token(enabled):
    assert sign_in(Client(enforce_csrf_checks=True)).status_code == 403


def test_sign_in_of_the_same_browser_is_replaced(enabled, cognito_client):
    ada = cognito_client("ada", groups=["admins"])
    sign_in(ada)
    replaced, current = SignIn.objects.order_by("pk")
    assert (replaced.end_reason, replaced.is_break_glass) == ("replaced", False)
    assert (current.ended_at, current.is_break_glass) == (None, True)
    assert ada.user.username == "emergency"
    assert ada.get("/admin/").status_code == 200


def test_sign_in_through_cognito_afterwards_lasts_as_usual(enabled, cognito_client, cognito):
    """The limit of one hour applies only to the sign-in with a password."""
    ada = cognito_client("ada", groups=["admins"])
    user = ada.user
    user.set_password(PASSWORD)
    user.save()
    sign_in(ada, user.username)
    assert ada.session.get_expiry_age() <= 3600
    hosted_ui_url = ada.get("/accounts/login/", {"another": 1})["Location"]
    query = parse_qs(urlsplit(hosted_ui_url).query)
    code = cognito.authorize(FakeUser("ada", groups=("admins",), nonce=query["nonce"][0]))
    ada.get("/signin", {"code": code, "state": query["state"][0]})
    assert SignIn.objects.live().get().is_break_glass is False
    assert ada.session.get_expiry_age() > 3600
