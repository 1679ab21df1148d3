"""Single-page apps sign out, are listed and ended, rotate their tokens, and stay for a month."""

import pytest
import requests
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone

from accounts.models import PendingRevocation, RefreshResult, SignIn, SignInEvent, User
from accounts.provider import provider
from accounts.sessions import limits
from accounts.sessions.sign_out import sign_out_everywhere
from accounts.tokens import revocation_feed
from accounts.tokens.storage import open_tokens
from tests.flows.conftest import query_of
from tests.flows.sessions.conftest import let_pass

pytestmark = pytest.mark.django_db(transaction=True)


class App:
    """The original UI: it exchanges its code by GET, and sends both tokens with each request."""

    def __init__(self, site, pool, origin, username="linus"):
        self.site = site
        redirect_uri = f"{origin}/signin"
        authorize = (
            f"{pool.url}/oauth2/authorize?response_type=code&client_id={pool.client_id}"
            f"&redirect_uri={redirect_uri}"
        )
        code = query_of(pool.sign_in(authorize, username))["code"]
        query = {"code": code, "redirectUri": redirect_uri}
        tokens = requests.get(f"{site}/auth/get-tokens", params=query, timeout=60).json()
        self.access_token, self.refresh_token = tokens["accessToken"], tokens["refreshToken"]

    @property
    def headers(self):
        return {
            "Authorization": f"Bearer {self.access_token}",
            "x-refresh-token": self.refresh_token,
        }

    def get(self, path="/user"):
        return requests.get(f"{self.site}{path}", headers=self.headers, timeout=60)

    def use(self):
        """Send a request, store new tokens as the UI does, and return the status."""
        response = self.get()
        self.access_token = response.headers.get("x-access-token", self.access_token)
        self.refresh_token = response.headers.get("x-refresh-token", self.refresh_token)
        return response.status_code

    def sign_out(self, path="/api/auth/sign-out", **options):
        return requests.post(f"{self.site}{path}", headers=self.headers, timeout=60, **options)

    def copy(self):
        """Return another tab, with its own copy of the tokens."""
        tab = App.__new__(App)
        tab.__dict__.update(self.__dict__)
        return tab


@pytest.fixture
def app(site, pool, spa_origin):
    return App(site, pool, spa_origin)


def refresh(pool, refresh_token):
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    auth = (pool.client_id, pool.client_secret)
    return requests.post(f"{pool.url}/oauth2/token", form, auth=auth, timeout=60)


def is_refresh_token_live(pool, refresh_token):
    return refresh(pool, refresh_token).ok


def test_code_of_a_session_from_before_signing_out_everywhere_is_refused(site, pool, spa_origin):
    redirect_uri = f"{spa_origin}/signin"
    authorize = (
        f"{pool.url}/oauth2/authorize?response_type=code&client_id={pool.client_id}"
        f"&redirect_uri={redirect_uri}"
    )
    with requests.Session() as browser:
        pool.clock.advance(-20)
        pool.sign_in(authorize, "linus", session=browser)
        pool.clock.advance(20)
        app = App(site, pool, spa_origin)
        assert app.get().status_code == 200
        sign_out_everywhere(User.objects.get())
        callback = browser.get(authorize, allow_redirects=False, timeout=60).headers["Location"]
    query = {"code": query_of(callback)["code"], "redirectUri": redirect_uri}
    response = requests.get(f"{site}/auth/get-tokens", params=query, timeout=60)
    assert (response.status_code, response.json()["code"]) == (400, "signed_out_everywhere")
    assert not SignIn.objects.live().exists()


@pytest.mark.parametrize("path", ["/api/auth/sign-out", "/auth/sign-out/"])
@pytest.mark.parametrize("is_expired", [False, True])
def test_sign_out_ends_both_tokens(app, pool, path, is_expired):
    assert app.get().status_code == 200
    if is_expired:
        expire(app, pool)
    response = app.sign_out(path)
    assert (response.status_code, response.text) == (204, "")
    revocation_feed.reset()  # as after one second
    assert app.get().status_code == 401
    assert not is_refresh_token_live(pool, app.refresh_token)
    assert app.sign_out().status_code == 204


def test_sign_out_needs_a_genuine_token(app, site, pool):
    assert requests.post(f"{site}/api/auth/sign-out", timeout=60).status_code == 401
    real = app.access_token
    app.access_token = f"{real[:-6]}AAAAAA"
    assert app.sign_out().status_code == 401
    app.access_token = pool.machine_token(scope="stats/read")
    assert app.sign_out().status_code == 403
    app.access_token = real
    assert app.get().status_code == 200


def test_sign_out_while_cognito_is_unavailable_is_repeated_later(app, pool):
    pool.faults.add("revoke", "503", times=3)
    assert app.sign_out().status_code == 204
    revocation_feed.reset()
    assert app.get().status_code == 401
    PendingRevocation.objects.update(next_try_at="2020-01-01T00:00Z")
    pool.do("heal")
    call_command("cognito_housekeeping")
    assert not is_refresh_token_live(pool, app.refresh_token)


def test_app_is_listed_on_the_profile_and_ended_there(app, pool, new_visitor):
    visitor = new_visitor()
    visitor.sign_in("linus")
    page = visitor.get("/profile/").text
    assert "in an app" in page
    sign_in = SignIn.objects.get(key__startswith="app.")
    visitor.post(f"/profile/sessions/{sign_in.pk}/end/")
    revocation_feed.reset()
    assert app.get().status_code == 401
    assert not is_refresh_token_live(pool, app.refresh_token)
    assert visitor.is_signed_in


def test_signing_out_everywhere_ends_apps_too(app, pool, new_visitor):
    visitor = new_visitor()
    visitor.sign_in("linus")
    visitor.get("/profile/")
    visitor.post("/profile/sign-out-everywhere/")
    revocation_feed.reset()
    assert app.get().status_code == 401
    assert not is_refresh_token_live(pool, app.refresh_token)


def test_housekeeping_leaves_an_app_for_thirty_days(app):
    SignIn.objects.update(last_seen_at="2020-01-01T00:00Z")
    assert SignIn.objects.filter(limits.beyond_limits()).count() == 1
    SignIn.objects.update(last_seen_at=timezone.now() - limits.APP_IDLE_TIME / 2)
    assert not SignIn.objects.filter(limits.beyond_limits()).exists()
    assert limits.limit_reached(SignIn.objects.get()) is None


def expire(app, pool, seconds=3700):
    """Give the app an access token of the same sign-in from so many seconds ago."""
    pool.do("rotation off")
    pool.clock.offset = -seconds
    app.access_token = refresh(pool, app.refresh_token).json()["access_token"]
    pool.clock.offset = 0
    pool.do("rotation on 2s")


@pytest.mark.parametrize("is_stored", [True, False])
def test_app_continues_after_more_than_a_day(app, pool, is_stored):
    expire(app, pool, 90_000)
    if not is_stored:
        SignIn.objects.all().delete()
    assert app.use() == (200 if is_stored else 401)


class TestRotation:
    @pytest.fixture
    def tabs(self, app, pool):
        """Two tabs with the first tokens, and one that has refreshed them a while ago."""
        newest = app
        expire(newest, pool)
        old, older = newest.copy(), newest.copy()
        assert newest.use() == 200
        assert newest.refresh_token != old.refresh_token
        self.forget_shared_results(pool)
        return old, older, newest

    @staticmethod
    def forget_shared_results(pool):
        RefreshResult.objects.exclude(key__startswith="rotated:").delete()
        cache.clear()
        pool.clock.advance(3)  # after the grace period

    def test_older_tabs_get_the_newest_tokens(self, tabs, pool):
        old, older, newest = tabs
        calls = pool.counts()["token:refresh_token"]
        assert [old.use(), older.use()] == [200, 200]
        assert old.refresh_token == older.refresh_token == newest.refresh_token
        assert pool.counts()["token:refresh_token"] == calls + 1  # refused once, for both

    def test_older_tab_refreshes_the_newest_token_if_it_is_due(self, tabs, pool):
        old, older, newest = tabs
        SignIn.objects.update(renew_at=timezone.now())
        assert old.use() == 200
        assert old.refresh_token != newest.refresh_token
        self.forget_shared_results(pool)
        assert older.use() == 200
        assert older.refresh_token == old.refresh_token

    def test_replaced_token_is_refused_and_recorded_after_the_grace_period(self, tabs, pool):
        old, older, newest = tabs
        let_pass(seconds=provider().limits.rotation_grace + 1)
        assert [old.use(), older.use(), newest.use()] == [401, 401, 200]
        event = SignInEvent.objects.get(reason="refresh_token_reused")
        assert (event.kind, event.user) == ("refused", SignIn.objects.live().get().user)

    def test_refresh_token_that_the_sign_in_never_had_is_refused(self, tabs, pool):
        stranger = tabs[0]
        for refresh_token in ("made-up", pool.tokens_for("grace")["refresh_token"]):
            stranger.refresh_token = refresh_token
            assert stranger.use() == 401

    def test_end_of_the_sign_in_ends_all_tabs(self, tabs, pool):
        old, _, newest = tabs
        assert open_tokens(SignIn.objects.get()).refresh_token == newest.refresh_token
        assert newest.sign_out().status_code == 204
        revocation_feed.reset()
        assert [old.use(), newest.use()] == [401, 401]
        assert not is_refresh_token_live(pool, newest.refresh_token)

    def test_app_of_an_earlier_version_gets_a_row_with_its_first_refresh(self, app, pool):
        expire(app, pool)
        SignIn.objects.all().delete()
        old = app.copy()
        assert app.use() == 200
        self.forget_shared_results(pool)
        assert old.use() == 200
