"""The example app in Chromium, built in both modes (`make test-clients`)."""

import functools
import json
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from django.core.cache import cache
from django.db.models import F
from playwright.sync_api import expect

from accounts.models import RefreshResult, Revocation, SignIn, User
from accounts.permissions import RecentSignIn
from accounts.sessions.sign_out import end_sign_in, sign_out_everywhere
from accounts.tokens import revocation_feed
from local_pool.testing import LocalPool
from stats.api.permissions import required_permissions
from stats.api.views import StatViewSet
from stats.models import Stat
from tests.flows.conftest import TOOLS
from tests.imports import ROOT

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.clients,
    pytest.mark.xdist_group("example-app"),
]


class Pages(SimpleHTTPRequestHandler):
    """A static host. All other paths return the page, as hosts of single-page apps do."""

    def send_head(self):
        if not Path(self.translate_path(self.path.partition("?")[0])).is_file():
            self.path = "/index.html"
        return super().send_head()

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("example")


@pytest.fixture(scope="module")
def spa_origin(folder):
    """The origin of the app in token mode."""
    handler = functools.partial(Pages, directory=str(folder / "token"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def module_pool(live_server, spa_origin):
    with LocalPool(
        public_url=live_server.url,
        callback_urls=[f"{spa_origin}/signin"],
        logout_urls=[f"{spa_origin}/signout"],
    ) as running:
        yield running


@pytest.fixture(scope="module")
def builds(folder, live_server, module_pool):
    """The folder with the app, built in both modes from a copy of its source."""
    shutil.copytree(ROOT / "examples/spa", folder / "examples/spa")
    shutil.copytree(ROOT / "static/js", folder / "static/js")
    (folder / "examples/spa/node_modules").symlink_to(TOOLS / "spa/node_modules")
    environment = os.environ | {
        "VITE_API_URL": live_server.url,
        "VITE_COGNITO_CLIENT_HOST": module_pool.url,
        "VITE_COGNITO_CLIENT_ID": module_pool.client_id,
    }
    for mode in ("cookie", "token"):
        done = subprocess.run(
            ["node_modules/.bin/vite", "build", "--mode", mode, "--outDir", folder / mode],
            cwd=folder / "examples/spa",
            env=environment if mode == "token" else os.environ,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def pool(module_pool):
    yield module_pool
    module_pool.clock.offset = 0
    module_pool.do("rotation off")


class App:
    """The app in one tab."""

    def __init__(self, page, mode, url, pool):
        self.page, self.mode, self.url, self.pool = page, mode, url, pool

    def open(self):
        self.page.goto(self.url)
        return self

    def sign_in(self, username="grace", *, seconds_ago=0):
        with earlier(self.pool, seconds_ago):
            self.page.get_by_role("button", name="Sign in").click()
            self.page.get_by_label("Username").fill(username)
            self.page.get_by_label("Password").fill("Cognito-demo-1")
            self.page.get_by_role("button", name="Sign in", exact=True).click()
            self.expect_user()
        return self

    def expect_user(self):
        expect(self.page.locator("#user")).to_have_text("Grace Hopper")

    def fill(self, kpi):
        fields = {"KPI": kpi, "Year": "2031", "Month": "5", "Value": "1"}
        for label, content in fields.items():
            self.page.get_by_label(label).fill(content)

    def add(self, kpi):
        self.fill(kpi)
        self.page.get_by_role("button", name="Add").click()
        expect(self.page.get_by_role("table")).to_contain_text(kpi)

    def sign_out(self):
        self.page.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_role("button", name="Sign in")).to_be_visible()

    @property
    def message(self):
        return self.page.get_by_role("status")

    @property
    def tokens(self):
        return json.loads(self.page.evaluate("sessionStorage.tokens"))

    def make_expired_token(self):
        """Return an access token of this sign-in that has expired."""
        form = {"grant_type": "refresh_token", "refresh_token": self.tokens["refreshToken"]}
        auth = (self.pool.client_id, self.pool.client_secret)
        with earlier(self.pool, 3700):
            response = requests.post(f"{self.pool.url}/oauth2/token", form, auth=auth, timeout=60)
        return response.json()["access_token"]

    def reload_with(self, access_token):
        """Replace the access token, and load the page again, which sends it."""
        tokens = json.dumps(self.tokens | {"accessToken": access_token})
        self.page.evaluate("text => { sessionStorage.tokens = text; }", tokens)
        self.page.reload()
        self.expect_user()


@contextmanager
def earlier(pool, seconds):
    """Let the pool issue tokens as if that much time had passed since then."""
    pool.clock.offset -= seconds
    yield
    pool.clock.offset += seconds


@pytest.fixture
def new_app(site, pool, builds, spa_origin, settings):
    """A function that returns the app in a tab, in one of the modes."""
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("spa", str(builds / "cookie"))]
    urls = {"cookie": f"{site}/static/spa/index.html", "token": f"{spa_origin}/"}

    def make(page, mode):
        return App(page, mode, urls[mode], pool)

    return make


@pytest.fixture(params=["cookie", "token"])
def app(request, new_app, page):
    return new_app(page, request.param)


def test_user_signs_in_adds_a_figure_and_signs_out(app, site):
    app.open()
    expect(app.message).to_have_text("Sign in to see the figures.")
    app.sign_in()
    app.add("revenue")
    assert Stat.objects.get().kpi == "revenue"
    assert app.page.url == app.url
    scripts_see = "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])"
    assert ("eyJ" in app.page.evaluate(scripts_see)) == (app.mode == "token")
    tokens = app.tokens if app.mode == "token" else None

    app.page.reload()
    app.expect_user()
    app.sign_out()
    assert not SignIn.objects.live().exists()
    assert "eyJ" not in app.page.evaluate(scripts_see)
    if tokens:  # they were issued earlier, and have ended
        revocation_feed.reset()  # as after one second
        headers = {
            "Authorization": f"Bearer {tokens['accessToken']}",
            "X-Refresh-Token": tokens["refreshToken"],
        }
        assert requests.get(f"{site}/api/user", headers=headers, timeout=60).status_code == 401
    app.sign_in()  # the hosted UI requires the password again


def test_draft_survives_the_end_of_the_session(app):
    app.open().sign_in()
    app.fill("draft")
    end_sign_in(SignIn.objects.get(), reason=SignIn.EndReason.BY_OPERATOR)
    revocation_feed.reset()  # as after one second
    app.page.get_by_role("button", name="Add").click()
    app.page.get_by_role("button", name="Sign in").click()  # the hosted UI knows the user
    expect(app.page.get_by_label("KPI")).to_have_value("draft")
    app.page.get_by_role("button", name="Add").click()
    expect(app.page.get_by_role("table")).to_contain_text("draft")


@pytest.mark.undocumented_responses
def test_step_up_requires_the_password_and_returns_to_the_draft(app, monkeypatch):
    def permissions(view):
        recent = [RecentSignIn(max_age=60)] if view.action == "create" else []
        return [*recent, *required_permissions(view.action)]

    monkeypatch.setattr(StatViewSet, "get_permissions", permissions)
    app.open().sign_in(seconds_ago=600)
    app.fill("secret")
    app.page.get_by_role("button", name="Add").click()
    expect(app.message).to_contain_text("a more recent or a stronger sign-in")
    app.sign_in()
    expect(app.page.get_by_label("KPI")).to_have_value("secret")
    app.page.get_by_role("button", name="Add").click()
    expect(app.page.get_by_role("table")).to_contain_text("secret")


def test_callback_of_another_tab_is_not_exchanged(new_app, page, pool, spa_origin):
    app = new_app(page, "token")
    exchanges = pool.counts()["token:authorization_code"]
    page.goto(f"{spa_origin}/signin?code=of-an-attacker&state=of-an-attacker")
    expect(app.message).to_have_text("That sign-in did not begin in this tab.")
    assert page.url == app.url  # without the code
    assert pool.counts()["token:authorization_code"] == exchanges
    app.sign_in()


def test_expired_token_is_refreshed_within_a_request(new_app, page, pool):
    app = new_app(page, "token").open().sign_in()
    expired = app.make_expired_token()
    calls = pool.counts()["token:refresh_token"]
    app.reload_with(expired)
    assert app.tokens["accessToken"] != expired
    assert pool.counts()["token:refresh_token"] == calls + 1  # for two requests at once
    app.add("profit")


def test_both_tabs_keep_working_while_refresh_tokens_rotate(new_app, page, pool):
    first = new_app(page, "token").open().sign_in()
    expired = first.make_expired_token()
    pool.do("rotation on 2s")
    pool.clock.offset = -60  # so that it is never ahead
    with page.expect_popup() as opened:  # a duplicate of the tab has a copy of the tokens
        page.evaluate("window.open(location.href)")
    second = new_app(opened.value, "token")
    second.expect_user()
    for tab, other in ((first, second), (second, first)):
        used = tab.tokens["refreshToken"]
        assert other.tokens["refreshToken"] == used
        for one in (tab, other):
            one.reload_with(expired)
            forget_shared_results(pool)
        assert tab.tokens["refreshToken"] == other.tokens["refreshToken"] != used
    first.add("first")
    second.add("second")
    assert SignIn.objects.live().count() == 1


def forget_shared_results(pool):
    """Let the time pass for which the pool still accepts a used refresh token."""
    RefreshResult.objects.exclude(key__startswith="rotated:").delete()
    cache.clear()
    pool.clock.advance(3)


def test_user_who_signed_out_everywhere_enters_the_password(new_app, page):
    app = new_app(page, "token").open().sign_in(seconds_ago=20)
    sign_out_everywhere(User.objects.get())
    Revocation.objects.update(not_before=F("not_before") - 5)  # tokens of now are later
    revocation_feed.reset()
    page.reload()
    page.get_by_role("button", name="Sign in").click()  # the hosted UI still knows the user
    expect(app.message).to_contain_text("signed out everywhere")
    app.sign_in()
