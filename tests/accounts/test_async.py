"""Asynchronous views, django-ninja and WebSockets, as docs/async.md has them."""

import re
from datetime import timedelta
from types import ModuleType

import pytest
from asgiref.sync import SyncToAsync, async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.test import AsyncClient, AsyncRequestFactory
from django.urls import include, path, resolve
from django.utils import timezone
from ninja import NinjaAPI

from accounts.decorators import group_required, recent_sign_in_required
from accounts.middleware import PrivateResponseMiddleware, SignInMiddleware
from accounts.models import SignIn
from accounts.ninja import CognitoBearer
from accounts.provider import provider
from accounts.sessions import connections
from accounts.testing import mint_access_token, mint_machine_token
from accounts.tokens import revocation_feed
from accounts.user_tokens import on_behalf_of_caller
from tests.imports import ROOT
from tests.local_pool.contract.target import unverified_claims

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

GUIDE = (ROOT / "docs/async.md").read_text(encoding="utf-8").replace("cognito_sso", "accounts")


def follow(containing):
    """Run the Python blocks of the guide that contain a text, and return their names."""
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    module = ModuleType("guide")
    exec("\n".join(block for block in blocks if containing in block), vars(module))
    return module


async def public(request):
    return HttpResponse("public")


async def page(request):
    users = [await request.auser(), await request.auser()]
    return HttpResponse(f"{users[0]} {request.user == users[1]}")


@group_required("admins")
async def for_admins(request):
    return HttpResponse("for admins")


@recent_sign_in_required(max_age=600)
async def recent(request):
    return HttpResponse("recent")


api = follow("NinjaAPI").api


@api.post("/stats")
def write(request):
    return {}


plain_api = NinjaAPI(auth=CognitoBearer(), urls_namespace="plain")


@plain_api.get("/plain")
def plain(request):
    return {}


@plain_api.get("/books")
def books(request):
    return unverified_claims(on_behalf_of_caller(request, resource="https://books.example.com"))


urlpatterns = [
    path("public", public),
    path("page", login_required(page)),
    path("admins", for_admins),
    path("recent", recent),
    path("ninja/", api.urls),
    path("plain/", plain_api.urls),
    path("", include("sso_project.urls")),
]


@pytest.fixture
def threads(monkeypatch):
    """The functions that ran in a thread."""
    functions, call = [], SyncToAsync.__call__

    async def record(self, *args, **kwargs):
        functions.append(self.func.__name__)
        return await call(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", record)
    return functions


# --- Views and middleware -------------------------------------------------------------------------


def visit(view, session_key=None):
    """Call a view behind our middleware alone, and return the response."""
    request = AsyncRequestFactory().get("/page")
    request.session = SessionStore(session_key)
    stack = PrivateResponseMiddleware(SignInMiddleware(view))
    return async_to_sync(stack)(request)


def test_request_without_session_enters_no_thread(threads):
    response = visit(public)
    assert (response.content, threads) == (b"public", [])
    assert "Cache-Control" not in response.headers


def test_user_is_read_in_one_thread_and_once(cognito_client, threads):
    client = cognito_client("ada", bearer=False)
    threads.clear()
    response = visit(page, client.session.session_key)
    assert response.content.decode() == f"{client.user} True"
    assert response["Cache-Control"] == "no-store, private"
    assert threads == ["_begin", "_evaluated_user"]


def test_public_view_in_a_session_reads_no_user(cognito_client, threads):
    client = cognito_client("ada", bearer=False)
    threads.clear()
    assert visit(public, client.session.session_key).content == b"public"
    assert threads == ["_begin"]


@pytest.fixture
def browse(settings):
    """Open a page of an asynchronous site as the browser of a test client does."""
    sessions, authentication = "contrib.sessions", "contrib.auth"
    settings.MIDDLEWARE = [
        "accounts.middleware.PrivateResponseMiddleware",
        f"django.{sessions}.middleware.SessionMiddleware",
        f"django.{authentication}.middleware.AuthenticationMiddleware",
        "accounts.middleware.SignInMiddleware",
    ]

    def get(client, url, **headers):
        browser = AsyncClient()
        browser.cookies = client.cookies
        return async_to_sync(browser.get)(url, headers={"accept": "text/html", **headers})

    return get


def test_user_opens_pages_until_the_sign_in_ends(browse, cognito_client):
    client = cognito_client("ada", bearer=False)
    assert browse(client, "/page").content.decode() == f"{client.user} True"
    SignIn.objects.update(ended_at=timezone.now())
    refused = browse(client, "/page")
    assert (refused.status_code, refused["Location"]) == (302, "/accounts/login/?next=/page")


def test_script_gets_401_in_place_of_the_redirect(browse, cognito_client):
    anonymous = cognito_client.anonymous()
    response = browse(anonymous, "/page", accept="application/json")
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


LONG_AGO = timezone.now() - timedelta(days=1)


def test_outage_closes_only_pages_that_require_a_user(browse, cognito_client, cognito):
    client = cognito_client("ada", bearer=False)
    SignIn.objects.update(renew_at=LONG_AGO, access_expires_at=LONG_AGO)
    cognito.down = True
    assert browse(client, "/public").status_code == 200
    assert browse(client, "/page").status_code == 503


def test_reading_the_user_renews_the_tokens(browse, cognito_client, cognito):
    client = cognito_client("ada", bearer=False)
    SignIn.objects.update(renew_at=LONG_AGO)
    assert browse(client, "/public").status_code == 200
    assert "refresh_token" not in cognito.calls
    assert browse(client, "/page").status_code == 200
    assert cognito.calls.count("refresh_token") == 1


def test_decorators_guard_coroutines(browse, cognito_client):
    admin = cognito_client("ada", groups=["admins"], bearer=False)
    other = cognito_client("linus", bearer=False, seconds_ago=900)
    assert browse(admin, "/admins").content == b"for admins"
    assert browse(other, "/admins").status_code == 403
    assert browse(cognito_client.anonymous(), "/admins").status_code == 302
    assert browse(admin, "/recent").content == b"recent"
    assert "max_age=600" in browse(other, "/recent")["Location"]


# --- django-ninja ---------------------------------------------------------------------------------


def call(token, url="/ninja/stats", method="GET"):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = AsyncRequestFactory().generic(method, url, headers=headers)
    view = resolve(url).func
    return async_to_sync(view)(request) if url == "/ninja/stats" else view(request)


def refusal(response):
    return response.status_code, response.headers.get("WWW-Authenticate", ""), response.content


def test_verified_token_enters_no_thread(cognito, threads, monkeypatch):
    token, now = mint_access_token("ada", groups=["admins"]), [0.0]
    monkeypatch.setattr(revocation_feed._feed(), "_clock", lambda: now[0])
    assert call(token).status_code == 200
    assert threads == ["authenticate_token"]
    assert call(token).status_code == 200
    assert threads == ["authenticate_token"]
    now[0] += 2  # the revoked tokens are read again
    assert call(token).status_code == 200
    assert threads == ["authenticate_token"] * 2


def test_revoked_token_is_refused_without_a_thread(cognito, threads, monkeypatch):
    token = mint_access_token("ada", groups=["admins"], claims={"origin_jti": "o-1"})
    monkeypatch.setattr(revocation_feed._feed(), "_clock", lambda: 0.0)
    assert call(token).status_code == 200
    revocation_feed._feed()._known.token_ids.add("o-1")
    status, challenge, body = refusal(call(token))
    assert (status, threads) == (401, ["authenticate_token"])
    assert 'error="invalid_token"' in challenge
    assert b"token_revoked" in body


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (lambda: mint_access_token("ada", groups=["admins"]), 200),
        (lambda: mint_access_token("linus", scopes=["stats/read"]), 403),
        (lambda: mint_machine_token(scopes=["stats/read"]), 200),
        (lambda: mint_machine_token(scopes=["stats/write"]), 403),
    ],
    ids=["admin", "user with the scope", "machine", "machine without the scope"],
)
def test_scopes_admit_machines_and_groups_admit_users(cognito, token, status):
    response = call(token())
    assert response.status_code == status
    if status == 403:
        assert b"insufficient_scope" in response.content
        assert 'scope="stats/read"' in response["WWW-Authenticate"]


def test_operation_that_is_no_coroutine_has_user_and_claims(cognito):
    token = mint_access_token("ada")
    response = call(token, "/ninja/report")
    user = get_user_model().objects.get()
    assert response.content.decode() == f'{{"report": "for all", "user": "{user}"}}'
    assert call(mint_access_token("ada", expired=True), "/ninja/report").status_code == 401


def test_refusals_have_the_shape_of_the_api(cognito):
    status, challenge, body = refusal(call(""))
    assert (status, challenge[:18]) == (401, 'Bearer realm="api"')
    assert b'"code": "not_authenticated"' in body
    status, challenge, body = refusal(call(mint_access_token("ada", forged=True)))
    assert status == 401
    assert b'"code": "bad_signature"' in body
    cognito.down = True
    provider.cache_clear()
    unavailable = call(mint_access_token("ada"))
    assert unavailable.status_code == 503
    assert int(unavailable["Retry-After"]) > 0


def test_client_that_can_only_read_sends_no_unsafe_method(cognito, settings):
    settings.COGNITO = {**settings.COGNITO, "ACCEPTED_CLIENTS": ["reader"],
                        "CLIENT_RIGHTS": {"reader": "read"}}  # fmt: skip
    provider.cache_clear()
    token = mint_machine_token(client_id="reader", scopes=["stats/read"])
    assert call(token).status_code == 200
    refused = call(token, method="POST")
    assert (refused.status_code, b"insufficient_scope" in refused.content) == (403, True)


def test_refusal_has_its_status_without_the_error_handlers(cognito):
    assert call(mint_access_token("ada", expired=True), "/plain/plain").status_code == 401
    assert call(mint_access_token("ada"), "/plain/plain").status_code == 200


# --- WebSockets -----------------------------------------------------------------------------------

# Channels and our checks close connections, which would end the transaction of a test.
in_its_own_connections = pytest.mark.django_db(transaction=True)


@pytest.fixture
def application(monkeypatch, settings):
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    monkeypatch.setattr(connections, "CHECK_INTERVAL_SECONDS", 0.01)
    # Another `django.setup()` would configure the log again.
    monkeypatch.setattr("django.core.asgi.get_asgi_application", lambda: None)
    return follow("Notifications").application


class Socket(ApplicationCommunicator):
    """A WebSocket of this browser. (`channels.testing` needs another server.)"""

    def __init__(self, application, client, origin="http://localhost"):
        cookie = client.cookies.output(header="", sep=";").strip()
        headers = [(b"cookie", cookie.encode()), (b"origin", origin.encode())]
        scope = {"type": "websocket", "path": "/ws/notifications", "query_string": b""}
        super().__init__(application, scope | {"headers": headers, "subprotocols": []})

    async def connect(self):
        """Return True if the application accepts the connection."""
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(timeout=60))["type"] == "websocket.accept"

    async def disconnect(self):
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=60)


def sign_out(client):
    assert client.post("/accounts/logout/").status_code == 302


def deactivate(client):
    user = client.user
    user.is_active = False
    user.save()


def pass_the_age_limit(client):
    SignIn.objects.update(signed_in_at=timezone.now() - timedelta(days=3650))


@in_its_own_connections
@pytest.mark.parametrize("end", [sign_out, deactivate, pass_the_age_limit])
def test_socket_closes_when_the_sign_in_ends(application, cognito_client, end):
    client = cognito_client("ada", bearer=False)

    async def story():
        connection = Socket(application, client)
        assert await connection.connect()
        await sync_to_async(end)(client)
        closed = await connection.receive_output(timeout=60)
        assert (closed["type"], closed["code"]) == ("websocket.close", 4401)
        await connection.disconnect()
        again = Socket(application, client)
        assert not await again.connect()
        await again.disconnect()

    async_to_sync(story)()


@in_its_own_connections
def test_socket_closes_if_its_sign_in_can_no_longer_be_checked(
    application, cognito_client, monkeypatch, caplog
):
    client = cognito_client("ada", bearer=False)

    def fail(sign_in_id):
        raise RuntimeError("a fault")

    async def story():
        connection = Socket(application, client)
        assert await connection.connect()
        monkeypatch.setattr(connections, "_live", fail)
        assert (await connection.receive_output(timeout=60))["type"] == "websocket.close"
        await connection.disconnect()

    async_to_sync(story)()
    assert "can no longer be checked" in caplog.text


@in_its_own_connections
def test_socket_of_another_site_or_without_a_sign_in_is_refused(application, cognito_client):
    async def is_open(client, **options):
        connection = Socket(application, client, **options)
        is_accepted = await connection.connect()
        await connection.disconnect()
        return is_accepted

    signed_in, anonymous = cognito_client("ada", bearer=False), cognito_client.anonymous()
    assert not async_to_sync(is_open)(signed_in, origin="https://attacker.example")
    assert not async_to_sync(is_open)(anonymous)


@pytest.mark.undocumented_responses
def test_operation_gets_a_token_of_its_caller_for_another_api(client, cognito):
    token = mint_access_token("ada")
    response = client.get("/plain/books", headers={"Authorization": f"Bearer {token}"})
    issued = response.json()
    assert issued["sub"] == unverified_claims(token)["sub"]
    assert issued["aud"] == "https://books.example.com"
