"""Sign-out ends sessions, refresh tokens, and access tokens already issued."""

from datetime import timedelta

import pytest
import requests
from django.core.management import call_command
from django.utils import timezone

from accounts.management.commands import cognito_housekeeping
from accounts.models import Identity, PendingRevocation, Revocation, SignIn, User
from accounts.sessions import ending, sign_out
from accounts.tokens import revocation_feed
from accounts.tokens.storage import open_tokens
from local_pool.testing import Seed
from tests.flows.conftest import live_sign_ins, query_of
from tests.flows.sessions.conftest import at_once, refreshes, until_due, until_expired

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def current_feed(monkeypatch):
    """Read the feed each time, so that tests do not wait a second."""
    for name in ("READ_INTERVAL", "POLL_INTERVAL", "SHARED_FOR"):
        monkeypatch.setattr(revocation_feed, name, 0.0)


def access_token_of(sign_in):
    return open_tokens(sign_in).access_token


def call_api(site, access_token):
    return requests.get(
        f"{site}/api/user", headers={"Authorization": f"Bearer {access_token}"}, timeout=60
    )


def refresh_at_the_pool(pool, refresh_token):
    return requests.post(
        f"{pool.url}/oauth2/token",
        data={"grant_type": "refresh_token", "refresh_token": refresh_token},
        auth=(pool.client_id, pool.client_secret),
        timeout=60,
    )


def test_signing_out_stops_the_sessions_access_token(visitor, site):
    visitor.sign_in()
    access_token = access_token_of(SignIn.objects.get())
    assert call_api(site, access_token).status_code == 200
    visitor.sign_out()
    response = call_api(site, access_token)
    assert response.status_code == 401
    assert response.json()["code"] == "token_revoked"


def test_ending_one_session_leaves_the_others_tokens(visitor, new_visitor, site):
    other = new_visitor()
    visitor.sign_in()
    other.sign_in()
    own_sign_in, other_sign_in = SignIn.objects.order_by("pk")
    tokens = access_token_of(own_sign_in), access_token_of(other_sign_in)
    visitor.sign_out()
    assert [call_api(site, token).status_code for token in tokens] == [401, 200]
    assert other.is_signed_in


def test_tokens_from_before_a_renewal_are_stopped_too(visitor, site):
    visitor.sign_in()
    first = access_token_of(SignIn.objects.get())
    until_due()
    visitor.get("/profile/")
    second = access_token_of(SignIn.objects.get())
    visitor.sign_out()
    assert [call_api(site, token).status_code for token in (first, second)] == [401, 401]


def test_signing_out_everywhere_requires_confirmation_and_lists_its_effects(visitor, new_visitor):
    other = new_visitor()
    visitor.sign_in()
    other.sign_in()
    page = visitor.get("/profile/").text
    assert 'href="/profile/sign-out-everywhere/"' in page
    question = visitor.get("/profile/sign-out-everywhere/").text
    assert "This ends 2 sessions" in question
    assert live_sign_ins() == 2


def test_signing_out_everywhere_ends_sessions_and_tokens(visitor, new_visitor, site):
    pool, other, stranger = visitor.pool, new_visitor(), new_visitor()
    visitor.sign_in()
    other.sign_in()
    stranger.sign_in("grace")
    direct = pool.tokens_for("ada")["access_token"]  # a token without a session here
    other_token = pool.tokens_for("grace")["access_token"]
    refresh_tokens = [
        open_tokens(sign_in).refresh_token
        for sign_in in SignIn.objects.filter(user__email__startswith="a")
    ]
    assert call_api(site, direct).status_code == 200
    visitor.get("/profile/")
    response = visitor.post("/profile/sign-out-everywhere/")
    assert response.headers["Location"].startswith(f"{pool.url}/logout?")
    assert not visitor.is_signed_in
    assert not other.is_signed_in
    assert stranger.is_signed_in
    assert call_api(site, direct).json()["code"] == "token_revoked"
    assert call_api(site, other_token).status_code == 200
    assert len(refresh_tokens) == 2
    for refresh_token in refresh_tokens:
        assert refresh_at_the_pool(pool, refresh_token).json()["error"] == "invalid_grant"
    pool.clock.advance(2)
    visitor.http.cookies.clear()
    visitor.sign_in()
    assert visitor.is_signed_in


def resume_at_the_pool(browser):
    """Start to sign in, and return the callback that the hosted UI gives without a password."""
    response = browser.http.get(browser.start("/profile/"), allow_redirects=False, timeout=60)
    return response.headers["Location"]


@pytest.fixture
def other_browser(visitor, new_visitor):
    """A browser whose session at the hosted UI is from before its user signed out everywhere."""
    other = new_visitor()
    visitor.pool.clock.advance(-20)
    visitor.sign_in()
    other.sign_in()
    visitor.pool.clock.advance(20)
    visitor.get("/profile/")
    visitor.post("/profile/sign-out-everywhere/")
    return other


def test_other_browser_requires_the_password_after_signing_out_everywhere(other_browser):
    again = other_browser.get(resume_at_the_pool(other_browser)).headers["Location"]
    assert query_of(again)["prompt"] == "login"
    assert live_sign_ins() == 0
    response = other_browser.get(other_browser.callback(again))
    assert response.headers["Location"] == "/profile/"
    assert other_browser.is_signed_in
    assert other_browser.get("/profile/").status_code == 200


def test_hosted_ui_that_ignores_prompt_leads_to_a_sign_out_and_not_in_a_circle(other_browser, pool):
    pool.do("plan lite")
    again = other_browser.get(resume_at_the_pool(other_browser)).headers["Location"]
    callback = other_browser.http.get(again, allow_redirects=False, timeout=60).headers["Location"]
    page = other_browser.get(callback)
    assert page.status_code == 403
    assert "Sign out, then sign in with your password." in page.text
    assert 'href="/accounts/logout/"' in page.text
    assert (live_sign_ins(), PendingRevocation.objects.count()) == (0, 0)
    other_browser.get("/accounts/logout/")
    signed_out = other_browser.post("/accounts/logout/").headers["Location"]
    other_browser.http.get(signed_out, allow_redirects=False, timeout=60)
    other_browser.get(other_browser.callback(other_browser.start("/profile/")))
    assert other_browser.is_signed_in


def test_refresh_token_of_a_refused_sign_in_is_revoked(other_browser, pool):
    before = pool.counts()["revoke"]
    other_browser.get(resume_at_the_pool(other_browser))
    assert pool.counts()["revoke"] == before + 1
    assert not PendingRevocation.objects.exists()


def test_signing_out_everywhere_works_if_the_pools_clock_is_ahead(visitor, site):
    visitor.pool.clock.advance(30)
    visitor.sign_in()
    direct = visitor.pool.tokens_for("ada")["access_token"]  # issued before, with a later time
    sign_out.sign_out_everywhere(User.objects.get())
    assert call_api(site, direct).json()["code"] == "token_revoked"
    visitor.pool.clock.advance(3)
    assert call_api(site, visitor.pool.tokens_for("ada")["access_token"]).status_code == 200


def test_profile_lists_sessions_and_ends_one(visitor, new_visitor):
    other = new_visitor()
    other.http.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"
    visitor.sign_in()
    other.sign_in()
    page = visitor.get("/profile/").text
    assert page.count("This session</strong>") == 1
    assert "Firefox on Linux" in page
    assert "127.0.0.1" in page
    sign_in = SignIn.objects.order_by("pk").last()
    response = visitor.post(f"/profile/sessions/{sign_in.pk}/end/")
    assert response.headers["Location"] == "/profile/"
    assert not other.is_signed_in
    assert visitor.is_signed_in
    assert SignIn.objects.get(pk=sign_in.pk).end_reason == "ended_by_person"


def test_ending_the_own_session_signs_out(visitor):
    visitor.sign_in()
    visitor.get("/profile/")
    response = visitor.post(f"/profile/sessions/{SignIn.objects.get().pk}/end/")
    assert response.headers["Location"].startswith(f"{visitor.pool.url}/logout?")
    assert not visitor.is_signed_in


def test_user_cannot_end_sessions_of_other_users(visitor, new_visitor):
    other = new_visitor()
    visitor.sign_in("ada")
    other.sign_in("grace")
    visitor.get("/profile/")
    other_sign_in = SignIn.objects.order_by("pk").last()
    assert visitor.post(f"/profile/sessions/{other_sign_in.pk}/end/").status_code == 404
    assert other.is_signed_in


@pytest.mark.parametrize("path", ["/profile/sign-out-everywhere/", "/profile/sessions/1/end/"])
def test_ending_sessions_needs_the_csrf_token(visitor, path):
    visitor.sign_in()
    visitor.http.cookies.pop("csrftoken", None)
    assert visitor.post(path).status_code == 403
    assert visitor.is_signed_in


def test_failed_revocation_is_retried(visitor):
    visitor.sign_in()
    visitor.get("/profile/")
    refresh_token = open_tokens(SignIn.objects.get()).refresh_token
    visitor.pool.stop()
    visitor.post("/accounts/logout/")
    pending = PendingRevocation.objects.get()
    assert refresh_token not in pending.sealed_token
    visitor.pool.start()
    call_command("cognito_housekeeping", verbosity=0)
    assert PendingRevocation.objects.exists()  # not before its time
    PendingRevocation.objects.update(next_try_at=timezone.now())
    call_command("cognito_housekeeping", verbosity=0)
    assert not PendingRevocation.objects.exists()
    response = refresh_at_the_pool(visitor.pool, refresh_token)
    assert response.json()["error"] == "invalid_grant"


def test_of_several_machines_one_revokes_each_token(visitor):
    visitor.sign_in()
    visitor.pool.faults.add("revoke", "503")
    visitor.post("/accounts/logout/")
    here, there = PendingRevocation.objects.get(), PendingRevocation.objects.get()
    assert ending.claim_revocation(here)
    assert not ending.claim_revocation(there)
    (crashed,) = PendingRevocation.objects.filter(next_try_at__lte=timezone.now() + ending.CLAIM)
    # After the lease has expired, any process can claim it.
    assert ending.claim_revocation(crashed)


def test_expired_lease_delays_nothing(visitor):
    visitor.sign_in()
    visitor.pool.faults.add("revoke", "503")
    visitor.post("/accounts/logout/")
    PendingRevocation.objects.update(next_try_at=timezone.now(), tries=0)
    pending = PendingRevocation.objects.get()
    assert not ending.revoke_at_cognito([pending], seconds=0)
    pending.refresh_from_db()
    assert (pending.tries, pending.next_try_at <= timezone.now()) == (0, True)


def test_sign_out_takes_no_longer_than_the_pool_is_given(visitor):
    visitor.sign_in()
    visitor.get("/profile/")
    visitor.pool.faults.add("revoke", "slow", seconds=6)
    response = visitor.post("/accounts/logout/")
    assert response.elapsed.total_seconds() < 4.5
    assert response.headers["Location"] == "/signout?unreached=1"
    assert not visitor.is_signed_in


class TestRenewalMeetsSignOut:
    @pytest.fixture
    def pool_settings(self):
        return {"rotate_refresh_tokens": True, "refresh_grace_seconds": 60}

    @pytest.mark.parametrize("reason", ["signed_out", "everywhere", "deactivated"])
    def test_end_during_a_renewal_leaves_no_valid_token(self, visitor, site, monkeypatch, reason):
        from accounts.provider import factory

        def end():
            if reason == "signed_out":
                sign_out.end_sign_in(SignIn.objects.get(), reason=SignIn.EndReason.SIGNED_OUT)
            elif reason == "everywhere":
                sign_out.sign_out_everywhere(User.objects.get())
            else:
                user = User.objects.get()
                user.is_active = False
                user.save()

        visitor.sign_in()
        visitor.get("/profile/")
        until_expired()
        endpoint, got = factory.provider().token_endpoint, []
        refresh = endpoint.refresh

        def refresh_and_end(refresh_token, **options):
            tokens = refresh(refresh_token, **options)
            got.append(tokens)
            end()
            return tokens

        monkeypatch.setattr(endpoint, "refresh", refresh_and_end)
        assert visitor.get("/profile/").status_code == 302
        sign_in = SignIn.objects.get()
        assert (sign_in.end_reason, sign_in.sealed_tokens) == (reason, "")
        assert call_api(site, got[0].access_token).status_code == 401
        response = refresh_at_the_pool(visitor.pool, got[0].refresh_token)
        assert response.json()["error"] == "invalid_grant"

    def test_renewal_just_before_the_end_is_revoked_with_it(self, visitor, monkeypatch):
        """The sign-in changes between reading its tokens and ending it."""
        from accounts.sessions import ending

        visitor.sign_in()
        until_due()
        stale = SignIn.objects.get()
        visitor.get("/profile/")
        renewed = open_tokens(SignIn.objects.get()).refresh_token
        assert renewed != open_tokens(stale).refresh_token
        pending = ending.end_sign_in(stale, reason=SignIn.EndReason.SIGNED_OUT)
        assert ending.provider().cipher.open(pending.sealed_token)["refresh_token"] == renewed


def test_many_sign_outs_at_once_end_it_once(visitor):
    visitor.sign_in()
    visitor.get("/profile/")
    at_once(*[lambda: visitor.post("/accounts/logout/")] * 5)
    assert live_sign_ins() == 0
    assert Revocation.objects.count() == 1


@pytest.mark.parametrize("way", ["save", "update_fields", "delete"])
def test_deactivated_user_loses_session_and_tokens(visitor, site, way):
    visitor.sign_in("grace")
    access_token = access_token_of(SignIn.objects.get())
    assert call_api(site, access_token).status_code == 200
    user = User.objects.get()
    user.is_active = False
    if way == "delete":
        user.delete()
    else:
        user.save(update_fields=["is_active"] if way == "update_fields" else None)
    assert not visitor.is_signed_in
    assert call_api(site, access_token).status_code == 401
    assert live_sign_ins() == 0


def test_user_deactivated_in_bulk_is_signed_out_by_command(visitor, site, capsys):
    visitor.sign_in("grace")
    access_token = access_token_of(SignIn.objects.get())
    User.objects.update(is_active=False)
    assert not visitor.is_signed_in
    call_command("cognito_sign_out_user", inactive=True)
    assert "sign-ins ended: 1" in capsys.readouterr().out
    assert call_api(site, access_token).status_code == 401


@pytest.mark.parametrize("name", ["username", "email", "subject"])
def test_operator_signs_a_user_out(visitor, site, name):
    visitor.sign_in()
    access_token = access_token_of(SignIn.objects.get())
    call_command("cognito_sign_out_user", getattr(Identity.objects.get(), name), verbosity=0)
    assert not visitor.is_signed_in
    assert call_api(site, access_token).status_code == 401


@pytest.mark.parametrize(
    ("column", "reason"), [("last_seen_at", "idle"), ("signed_in_at", "too_old")]
)
def test_session_ends_at_its_limits(visitor, column, reason):
    visitor.sign_in()
    SignIn.objects.update(**{column: timezone.now() - timedelta(days=15)})
    if column == "signed_in_at":
        SignIn.objects.update(last_seen_at=timezone.now())
    assert visitor.get("/profile/").status_code == 302
    assert SignIn.objects.get().end_reason == reason


def test_abandoned_session_is_ended_by_housekeeping(visitor):
    visitor.sign_in()
    refresh_token = open_tokens(SignIn.objects.get()).refresh_token
    SignIn.objects.update(last_seen_at=timezone.now() - timedelta(days=1))
    call_command("cognito_housekeeping", verbosity=0)
    assert SignIn.objects.get().end_reason == "idle"
    response = refresh_at_the_pool(visitor.pool, refresh_token)
    assert response.json()["error"] == "invalid_grant"


def test_housekeeping_takes_a_few_at_once_and_leaves_none(visitor, monkeypatch):
    monkeypatch.setattr(cognito_housekeeping, "BATCH_SIZE", 2)
    visitor.sign_in()
    sign_in = SignIn.objects.get()
    for number in range(4):
        sign_in.pk, sign_in.key = None, f"another-{number}"
        sign_in.save()
    SignIn.objects.update(last_seen_at=timezone.now() - timedelta(days=1))
    call_command("cognito_housekeeping", verbosity=0)
    assert not SignIn.objects.live().exists()
    assert not PendingRevocation.objects.exists()


class TestHundredGroups:
    GROUPS = tuple(f"department-of-very-long-names-{number:03}" for number in range(100))

    @pytest.fixture
    def pool_settings(self):
        return {
            "groups": ("admins", "editors", *self.GROUPS),
            "people": [Seed("mary", groups=self.GROUPS)],
        }

    def test_cookies_stay_small_and_nothing_loops(self, visitor):
        response = visitor.sign_in("mary")
        assert response.headers["Location"] == "/dashboard/"
        assert visitor.get("/profile/").text.count("department-of-very-long-names") == 100
        sent = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
        assert len(sent) < 2000
        until_expired()
        assert visitor.get("/profile/").status_code == 200
        assert refreshes(visitor.pool) == 1
