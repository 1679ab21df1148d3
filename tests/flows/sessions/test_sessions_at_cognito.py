"""Sign-outs with a pool that tracks sessions, and what users learn about them."""

import json
import logging
from html import unescape

import pytest
import requests
from django.core.management import call_command

from accounts.models import PendingRevocation, SignIn
from accounts.provider import user_pool
from accounts.sessions import cognito_sessions, ending
from local_pool.testing import Client
from tests.flows.conftest import query_of
from tests.flows.sessions.conftest import until_expired

pytestmark = pytest.mark.django_db(transaction=True)

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
OWN_ACCOUNT = "aws.cognito.signin.user.admin"
OTHER_APP = Client(
    "otherappclient", "o" * 24, callback_urls=("http://localhost:3000/signin",), name="other"
)


@pytest.fixture
def pool_settings():
    tracking = {"session_tracking": True, "location": "Berlin, Germany"}
    return {**tracking, "clients": [OTHER_APP]}


@pytest.fixture
def tracking(site, settings):
    def configure(limit=20, *, scope=True):
        settings.COGNITO = {
            **settings.COGNITO,
            "LIMITS": {"sessions_per_user": limit},
            "SCOPES": ["openid", "email", "profile", *([OWN_ACCOUNT] if scope else [])],
        }

    configure()
    return configure


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Let a sign-out wait longer for the pool than in production, on a busy machine."""
    for module in (cognito_sessions, user_pool):
        monkeypatch.setattr(module, "SIGN_OUT_SECONDS", 60.0)


@pytest.fixture(params=["own token", "AWS credentials"])
def caller(request, tracking, monkeypatch):
    for name in user_pool._CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    if request.param == "AWS credentials":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests-only")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests-only")
        tracking(scope=False)
    return request.param


def asks_for_password(visitor):
    """Return True if the hosted UI requires the password to sign in again."""
    query = {
        "response_type": "code",
        "client_id": visitor.pool.client_id,
        "redirect_uri": f"{visitor.site}/signin",
        "scope": "openid",
        "prompt": "none",
    }
    url = f"{visitor.pool.url}/oauth2/authorize"
    response = visitor.http.get(url, params=query, allow_redirects=False, timeout=60)
    return query_of(response.headers["Location"]).get("error") == "login_required"


def sign_in_at_other_app(visitor):
    """Sign in at another app in this browser, and return its refresh token."""
    url = (
        f"{visitor.pool.url}/oauth2/authorize?response_type=code&client_id={OTHER_APP.client_id}"
        f"&redirect_uri={OTHER_APP.callback_urls[0]}"
    )
    code = query_of(visitor.pool.sign_in(url, "ada", session=visitor.http))["code"]
    form = {"grant_type": "authorization_code", "code": code}
    form["redirect_uri"] = OTHER_APP.callback_urls[0]
    return token(visitor, **form).json()["refresh_token"]


def token(visitor, **form):
    auth = (OTHER_APP.client_id, OTHER_APP.secret)
    return requests.post(f"{visitor.pool.url}/oauth2/token", form, auth=auth, timeout=60)


def is_alive(visitor, refresh_token):
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return token(visitor, **form).status_code == 200


def sign_out_everywhere(visitor):
    visitor.get("/profile/")
    return visitor.post("/profile/sign-out-everywhere/")


def text_of(response):
    return " ".join(unescape(response.text).split())


def test_sign_out_everywhere_ends_every_session_at_cognito(caller, visitor, new_visitor):
    other, forgotten, stranger = new_visitor(), new_visitor(), new_visitor()
    for browser in (visitor, other, forgotten):
        browser.sign_in()
    stranger.sign_in("grace")
    apps = [sign_in_at_other_app(browser) for browser in (visitor, other)]
    # This browser's sign-in ended here long ago. Its session at Cognito did not.
    last = SignIn.objects.filter(user__identities__username="ada").order_by("-pk").first()
    ending.end_sign_in(last, reason=SignIn.EndReason.IDLE)
    assert not asks_for_password(forgotten)

    sign_out_everywhere(visitor)
    assert not any(browser.is_signed_in for browser in (visitor, other, forgotten))
    assert all(asks_for_password(browser) for browser in (visitor, other, forgotten))
    assert not any(is_alive(visitor, refresh_token) for refresh_token in apps)
    assert visitor.pool.sessions("ada") == {}
    assert stranger.is_signed_in
    assert not asks_for_password(stranger)


def test_operator_signs_a_user_out_everywhere_at_cognito(caller, visitor, new_visitor):
    other = new_visitor()
    visitor.sign_in()
    other.sign_in()
    call_command("cognito_sign_out_user", "ada@example.com")
    assert asks_for_password(visitor)
    assert asks_for_password(other)
    assert visitor.pool.sessions("ada") == {}


def test_without_scope_and_credentials_the_sessions_of_our_sign_ins_end(
    tracking, monkeypatch, visitor, new_visitor
):
    for name in user_pool._CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    tracking(scope=False)
    other = new_visitor()
    visitor.sign_in()
    other.sign_in()
    sign_out_everywhere(visitor)
    assert visitor.pool.counts()["api:ListUserSessions"] == 0
    assert asks_for_password(visitor)
    assert asks_for_password(other)


def test_sign_out_ends_the_session_at_cognito_without_the_redirect(tracking, visitor, new_visitor):
    other = new_visitor()
    visitor.sign_in()
    other.sign_in()
    visitor.sign_out()  # the browser does not follow the redirect to /logout
    assert asks_for_password(visitor)
    assert not asks_for_password(other)


def test_session_that_is_ended_from_another_browser_asks_for_the_password(
    tracking, visitor, new_visitor
):
    other = new_visitor()
    other.sign_in()
    sign_in = SignIn.objects.get()
    visitor.sign_in()
    visitor.get("/profile/")
    visitor.post(f"/profile/sessions/{sign_in.pk}/end/")
    assert not other.is_signed_in
    assert asks_for_password(other)
    assert not asks_for_password(visitor)


@pytest.mark.parametrize("reason", [SignIn.EndReason.IDLE, SignIn.EndReason.REPLACED])
def test_other_ends_leave_the_session_at_cognito(tracking, visitor, reason):
    visitor.sign_in()
    ending.revoke_at_cognito([ending.end_sign_in(SignIn.objects.get(), reason=reason)])
    assert not visitor.is_signed_in
    assert not asks_for_password(visitor)


def test_linked_revocation_is_repeated_after_an_outage(tracking, visitor):
    visitor.sign_in()
    visitor.get("/profile/")
    visitor.pool.faults.add("api", "503")
    visitor.post("/accounts/logout/")
    assert not asks_for_password(visitor)
    visitor.pool.faults.clear()
    PendingRevocation.objects.update(next_try_at=SignIn.objects.get().signed_in_at)
    call_command("cognito_housekeeping")
    assert not PendingRevocation.objects.exists()
    assert asks_for_password(visitor)


def test_with_tracking_off_here_cognitos_api_is_not_called(site, visitor, monkeypatch):
    for name in user_pool._CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    visitor.sign_in()
    assert "At Cognito" not in visitor.get("/profile/").text
    sign_out_everywhere(visitor)
    assert visitor.pool.counts()["api"] == 0
    assert visitor.pool.counts()["revoke"] == 1
    assert not asks_for_password(visitor)


def test_sign_out_works_if_the_pool_tracks_no_sessions_after_all(tracking, caller, visitor):
    visitor.pool.do("sessions off")
    visitor.sign_in()
    assert "At Cognito" not in visitor.get("/profile/").text
    assert sign_out_everywhere(visitor).headers["Location"].startswith(visitor.pool.url)
    assert not visitor.is_signed_in


def test_profile_shows_browsers_and_apps_that_a_sign_out_everywhere_ends(
    caller, visitor, new_visitor
):
    visitor.http.headers["User-Agent"] = FIREFOX
    visitor.sign_in()
    sign_in_at_other_app(new_visitor())
    page = text_of(visitor.get("/profile/"))
    section = page.partition("At Cognito")[2]
    assert "Signing out everywhere ends these, too." in section
    assert "Firefox on Linux" in section
    assert "Berlin, Germany" in section
    assert OTHER_APP.client_id in section
    assert visitor.pool.client_id not in section  # those sessions are in the list above
    question = text_of(visitor.get("/profile/sign-out-everywhere/"))
    assert "Firefox on Linux" in question
    assert f'Berlin, Germany, app <span class="mono">{OTHER_APP.client_id}</span>' in question
    sign_out_everywhere(visitor)
    assert visitor.pool.sessions("ada") == {}


def test_sign_out_without_time_for_all_sessions_is_logged(
    caller, visitor, new_visitor, monkeypatch, caplog
):
    visitor.sign_in()
    new_visitor().sign_in()
    monkeypatch.setattr(cognito_sessions, "SIGN_OUT_SECONDS", 0.0)
    with caplog.at_level(logging.WARNING):
        sign_out_everywhere(visitor)
    assert "Not all sessions at Cognito could be ended." in caplog.text
    assert not visitor.is_signed_in


def test_values_of_cognito_are_shown_as_text(tracking, visitor):
    visitor.sign_in()
    visitor.http.headers["User-Agent"] = "<script>alert(1)</script>"
    visitor.pool.do("evict ada")
    visitor.http.cookies.clear()
    visitor.sign_in()
    assert "<script>alert" not in visitor.get("/profile/").text


def test_profile_works_while_cognito_is_unavailable(tracking, visitor, caplog):
    visitor.sign_in()
    visitor.pool.faults.add("api", "503")
    with caplog.at_level(logging.WARNING):
        page = visitor.get("/profile/")
    assert page.status_code == 200
    assert "At Cognito" not in page.text
    assert "could not be listed" in caplog.text
    sign_out_everywhere(visitor)
    assert not visitor.is_signed_in
    assert "eyJ" not in caplog.text


def test_user_learns_that_a_session_was_evicted(tracking, visitor, new_visitor):
    visitor.pool.do("sessions on 1")
    tracking(limit=1)
    visitor.sign_in()
    new_visitor().sign_in()
    until_expired()
    response = visitor.get("/profile/")
    assert response.headers["Location"].startswith("/accounts/login/")
    page = text_of(visitor.get(visitor.callback(visitor.start("/profile/"))) and visitor.get("/"))
    assert "Your session ended because you signed in on more than 1 device." in page
    assert SignIn.objects.order_by("pk").first().end_reason == "refused"


def test_script_learns_that_a_session_was_evicted(tracking, visitor, new_visitor):
    visitor.pool.do("sessions on 1")
    tracking(limit=1)
    visitor.sign_in()
    new_visitor().sign_in()
    until_expired()
    response = visitor.get("/profile/", headers={"X-Requested-With": "XMLHttpRequest"})
    assert response.status_code == 401
    assert json.loads(response.text) == {
        "code": "session_ended",
        "detail": "Your session ended because you signed in on more than 1 device."
        " Sign in to return to this page.",
        "error": "Your session ended because you signed in on more than 1 device."
        " Sign in to return to this page.",
        "login_url": "/accounts/login/",
    }


def test_end_with_another_possible_cause_is_told_as_such(tracking, visitor):
    visitor.sign_in()
    visitor.pool.do("evict ada")  # another app may have caused it, or an administrator
    until_expired()
    visitor.get("/profile/")
    page = text_of(visitor.get("/"))
    assert "Cognito ended your session. That happens if someone ends it there, or" in page
    assert "more than 20 devices" in page


def test_without_tracking_the_end_is_told_as_before(site, visitor):
    visitor.sign_in()
    visitor.pool.do("evict ada")
    until_expired()
    response = visitor.get("/profile/", headers={"X-Requested-With": "XMLHttpRequest"})
    assert response.json()["detail"] == "Your session ended. Sign in to return to this page."
    assert "devices" not in visitor.get("/").text
