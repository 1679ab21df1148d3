"""The password page of the admin: off unless switched on, for staff, recorded, throttled."""

from datetime import timedelta
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import checks
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import SignIn, SignInEvent, Tally, User
from accounts.sessions import limits, sign_out
from accounts.signin import break_glass
from accounts.testing.fake import Person

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


def test_its_password_is_changed_in_the_admin(client, opened, emergency):
    enter(client)
    form = {"old_password": PASSWORD, "new_password1": "staple-battery-12"}
    form["new_password2"] = form["new_password1"]
    answer = client.post("/admin/password_change/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/password_change/done/")
    assert client.get("/admin/").status_code == 200
    emergency.refresh_from_db()
    assert emergency.check_password("staple-battery-12")


def test_person_of_the_pool_has_no_password_to_change(cognito_client):
    ada = cognito_client("ada", groups=["admins"])
    assert ada.get("/admin/password_change/").status_code == 404
    assert "password_change" not in ada.get("/admin/").text


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
    event = SignInEvent.objects.get(kind="signed_in")
    assert (event.user, event.reason, event.ip_address) == (emergency, "break_glass", "127.0.0.1")
    assert PASSWORD not in str(SignInEvent.objects.values_list("details", flat=True))


def test_switching_it_off_ends_the_session(client, opened, settings):
    enter(client)
    settings.BREAK_GLASS_LOGIN = False
    assert client.get("/admin/").status_code == 302
    assert SignIn.objects.get().end_reason == "switched_off"
    settings.BREAK_GLASS_LOGIN = True
    assert client.get("/admin/").status_code == 302


def test_signing_out_needs_no_cognito(client, opened):
    enter(client)
    answer = client.post(reverse("accounts:logout"))
    assert answer["Location"] == "/signout"
    assert client.get("/admin/").status_code == 302
    assert SignInEvent.objects.get(kind="signed_out").reason == "signed_out"


def everywhere(user):
    sign_out.sign_out_everywhere(user)


def command(user):
    call_command("sign_out_user", user.username, stdout=StringIO())


def deactivated(user):
    user.is_active = False
    user.save()


def deactivated_in_bulk(user):
    User.objects.filter(pk=user.pk).update(is_active=False)
    call_command("sign_out_user", "--inactive", stdout=StringIO())


@pytest.mark.parametrize("end", [everywhere, command, deactivated, deactivated_in_bulk])
def test_ending_a_persons_sessions_ends_this_one_with_the_next_request(
    client, opened, emergency, end
):
    enter(client)
    end(emergency)
    assert client.get("/admin/").status_code == 302
    assert "_auth_user_id" not in client.session
    assert not SignIn.objects.live().exists()
    User.objects.update(is_active=True)
    assert client.get("/admin/").status_code == 302


def test_staff_see_the_session_and_end_it(client, opened, emergency):
    enter(client)
    staff = Client()
    staff.force_login(User.objects.create_superuser("another"))
    page = reverse("admin:accounts_user_change", args=[emergency.pk])
    assert "with a password (break-glass)" in staff.get(page).text
    row = SignIn.objects.get()
    assert (row.user, row.ip_address, row.sealed_tokens) == (emergency, "127.0.0.1", "")
    form = {"action": "end_sign_ins", "_selected_action": [row.pk]}
    staff.post(reverse("admin:accounts_signin_changelist"), form)
    assert client.get("/admin/").status_code == 302
    assert "No current sessions." in staff.get(page).text


def test_own_profile_shows_it_and_signs_out_everywhere_without_cognito(client, opened):
    enter(client)
    page = client.get(reverse("accounts:profile")).text
    assert "with a password" in page
    assert "as Cognito told us" not in page
    assert "Access token expires" not in page
    answer = client.post(reverse("accounts:sign_out_everywhere"))
    assert answer["Location"] == "/signout"
    assert client.get("/admin/").status_code == 302


def test_session_is_over_after_an_hour_whatever_the_cookie_says(client, opened):
    enter(client)
    SignIn.objects.update(signed_in_at=timezone.now() - limits.LONGEST_SESSION)
    assert client.get("/admin/").status_code == 302
    assert SignIn.objects.get().end_reason == "too_old"


def test_housekeeping_ends_what_is_over(client, opened, settings):
    enter(client)
    call_command("housekeeping", stdout=StringIO())
    assert SignIn.objects.live().count() == 1
    SignIn.objects.update(signed_in_at=timezone.now() - limits.LONGEST_SESSION)
    call_command("housekeeping", stdout=StringIO())
    assert SignIn.objects.get().end_reason == "too_old"
    enter(client)
    settings.BREAK_GLASS_LOGIN = False
    call_command("housekeeping", stdout=StringIO())
    assert SignIn.objects.latest("pk").end_reason == "switched_off"


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


@pytest.mark.parametrize("name", ["emer\x00gency", " ", "x" * 151])
def test_what_can_be_nobodys_name_is_refused_and_counted(client, opened, name):
    """A zero byte is an error in PostgreSQL, and reading a long text as a name takes hours."""
    assert break_glass.as_typed(name) == ""
    for _ in range(break_glass.MOST_OF_NAME):
        assert enter(client, name).status_code == 200
    assert enter(client, name).status_code == 429
    refused = SignInEvent.objects.filter(kind="refused", user=None)
    assert refused.count() == break_glass.MOST_OF_NAME + 1


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


def test_attempts_beyond_the_limit_of_an_address_cost_nothing(client, opened, monkeypatch):
    """No row for a name, no normalizing of it, no hash of a password."""
    statuses = [enter(client, f"name-{number}", "guess").status_code for number in range(30)]
    assert statuses == [200] * break_glass.MOST_OF_ADDRESS + [429] * 20
    assert Tally.objects.count() == break_glass.MOST_OF_ADDRESS + 1
    assert SignInEvent.objects.count() == break_glass.MOST_OF_ADDRESS + 1
    before = list(Tally.objects.order_by("pk").values())
    for name in ("as_typed", "salted_hmac"):
        monkeypatch.setattr(break_glass, name, lambda *args: pytest.fail("the name was read"))
    monkeypatch.setattr(User, "check_password", lambda *args: pytest.fail("it was hashed"))
    for name in ("emergency", "another", "x" * 100_000):
        assert enter(client, name).status_code == 429
    assert list(Tally.objects.order_by("pk").values()) == before


def test_attempts_beyond_the_limit_of_a_name_hash_no_password(client, opened, monkeypatch):
    for number in range(break_glass.MOST_OF_NAME):
        assert enter(Client(REMOTE_ADDR=f"192.0.2.{number}"), password="guess").status_code == 200
    monkeypatch.setattr(User, "check_password", lambda *args: pytest.fail("it was hashed"))
    assert [enter(client).status_code for _ in range(3)] == [429] * 3
    assert SignInEvent.objects.count() == break_glass.MOST_OF_NAME + 1


def test_operator_whose_name_is_locked_signs_in_with_another_account(client, opened):
    """The way out that docs/people.md gives: strangers do not know the new name."""
    for number in range(break_glass.MOST_OF_NAME):
        enter(Client(REMOTE_ADDR=f"192.0.2.{number}"), password="guess")
    assert enter(client).status_code == 429
    User.objects.create_superuser("nobody-guesses-this", password=PASSWORD)
    assert enter(client, "nobody-guesses-this").status_code == 302


def test_foreign_page_cannot_post_the_form(opened):
    assert enter(Client(enforce_csrf_checks=True)).status_code == 403


def test_sign_in_of_the_same_browser_is_replaced(opened, cognito_client):
    ada = cognito_client("ada", groups=["admins"])
    enter(ada)
    replaced, own = SignIn.objects.order_by("pk")
    assert (replaced.end_reason, replaced.is_break_glass) == ("replaced", False)
    assert (own.ended_at, own.is_break_glass) == (None, True)
    assert ada.user.username == "emergency"
    assert ada.get("/admin/").status_code == 200


def test_sign_in_through_cognito_afterwards_lasts_as_usual(opened, cognito_client, cognito):
    """The same person in the same browser: the hour was the password's."""
    ada = cognito_client("ada", groups=["admins"])
    user = ada.user
    user.set_password(PASSWORD)
    user.save()
    enter(ada, user.username)
    assert ada.session.get_expiry_age() <= 3600
    to_hosted_ui = ada.get("/accounts/login/", {"another": 1})["Location"]
    query = parse_qs(urlsplit(to_hosted_ui).query)
    code = cognito.authorize(Person("ada", groups=("admins",), nonce=query["nonce"][0]))
    ada.get("/signin", {"code": code, "state": query["state"][0]})
    assert SignIn.objects.live().get().is_break_glass is False
    assert ada.session.get_expiry_age() > 3600
