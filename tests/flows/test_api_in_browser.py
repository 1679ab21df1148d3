"""Swagger UI and the browsable API in Chromium."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path

import pytest
import requests
from django.contrib.staticfiles import finders
from playwright.sync_api import expect

from local_pool.testing import LocalPool
from stats.models import Stat
from tests.flows.conftest import ENVIRONMENT_NAMES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def site(site, pool, settings):
    settings.COGNITO = {
        **settings.COGNITO,
        "PUBLIC_CLIENT_ID": pool.env()["COGNITO_PUBLIC_CLIENT_ID"],
    }
    return site


def sign_in(page, username="ada"):
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("Cognito-demo-1")
    page.get_by_role("button", name="Sign in", exact=True).click()


def authorize(page, pool):
    """Sign in as ada with "Authorize" and PKCE, in a new window."""
    page.locator("button.authorize").first.click()
    dialog = page.locator(".auth-container", has_text="authorizationCode").first
    expect(dialog.get_by_label("client_id:")).to_have_value(pool.config.public_client_id)
    expect(dialog.get_by_label("client_secret:")).to_be_hidden()
    with page.expect_popup() as opened:
        dialog.locator("button.authorize").click()
    popup = opened.value
    popup.get_by_label("Username").fill("ada")
    popup.get_by_label("Password").fill("Cognito-demo-1")
    with popup.expect_event("close"):
        popup.get_by_role("button", name="Sign in", exact=True).click()
    expect(dialog.locator("button", has_text="Logout")).to_be_visible()
    page.locator(".close-modal").first.click()
    assert not [cookie for cookie in page.context.cookies() if cookie["name"] == "sessionid"]


def test_authorize_signs_in_and_an_endpoint_can_be_called(page, site, pool, screenshot):
    page.goto(f"{site}/docs")
    authorize(page, pool)
    operation = page.locator("#operations-user-get_user")
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    response = operation.locator(".live-responses-table")
    expect(response).to_contain_text('"userName": "ada"')
    expect(response).to_contain_text(pool.config.public_client_id)
    screenshot(page, "api-docs")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_class("dark-mode")
    assert page.evaluate(background) != light
    screenshot(page, "api-docs-dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).not_to_have_class("dark-mode")


def test_browsable_api_signs_in_and_out_and_comes_back(page, site, pool, screenshot):
    Stat.objects.create(kpi="revenue", year=2020, month=1, value=1)
    page.goto(f"{site}/api/user")
    expect(page.locator("pre").last).to_contain_text("not_authenticated")
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, "grace")
    page.wait_for_url(f"{site}/api/user")
    expect(page.locator("pre").last).to_contain_text('"userName": "grace"')
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    screenshot(page, "browsable-api")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site}/api/user")
    expect(page.locator("pre").last).to_contain_text("not_authenticated")
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_url(f"{pool.url}/login**")  # the hosted UI's own session has ended as well


def test_browsable_list_writes_a_figure(page, site, pool):
    page.goto(f"{site}/api/stats")
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, "ada")
    page.wait_for_url(f"{site}/api/stats")
    figure = '{"kpi": "profit", "year": 2021, "month": 5, "value": 7.5}'
    page.locator("textarea[name=_content]").first.fill(figure)
    page.get_by_role("button", name="POST", exact=True).first.click()
    expect(page.locator("pre").last).to_contain_text("201 Created")
    assert Stat.objects.get().kpi == "profit"


@pytest.fixture
def stage(live_server, settings):
    """The URL of a proxy that serves the site below the path /prod, as a stage does."""

    class Proxy(BaseHTTPRequestHandler):
        def forward(self):
            _, is_static, name = self.path.partition("/static/")
            if is_static:  # the live server finds static files at the root of a host only
                content = Path(finders.find(name)).read_bytes()
                return self.respond(200, {"Content-Type": guess_type(name)[0]}, content)
            length = int(self.headers.get("Content-Length") or 0)
            response = requests.request(
                self.command,
                live_server.url + self.path.removeprefix("/prod"),
                headers=dict(self.headers),
                data=self.rfile.read(length),
                allow_redirects=False,
                stream=True,
                timeout=60,
            )
            content = response.raw.read(decode_content=False)
            return self.respond(response.status_code, response.raw.headers, content)

        def respond(self, status, headers, content):
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = forward

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("localhost", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        settings.FORCE_SCRIPT_NAME = "/prod"
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def test_swagger_ui_works_below_a_stage(page, stage, settings, screenshot):
    with LocalPool(public_url=f"{stage}/prod") as pool:
        environment = pool.env()
        names = {**ENVIRONMENT_NAMES, "PUBLIC_CLIENT_ID": "COGNITO_PUBLIC_CLIENT_ID"}
        configured = {key: environment.get(name, "") for key, name in names.items()}
        settings.COGNITO = {
            **settings.COGNITO,
            **configured,
            "JWKS_URL": "",
            "PUBLIC_URL": stage,
        }
        page.goto(f"{stage}/prod/docs")
        authorize(page, pool)
        operation = page.locator("#operations-user-get_user")
        operation.locator(".opblock-summary").click()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()
        expect(operation.locator(".request-url")).to_contain_text(f"{stage}/prod/api/user")
        expect(operation.locator(".live-responses-table")).to_contain_text('"userName": "ada"')
