"""The site on ASGI: which requests use a thread, and that all of it works there."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from queue import LifoQueue
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import SyncToAsync
from django.contrib import messages
from django.core.signals import request_finished, request_started
from django.db import connections
from django.http import HttpResponse, JsonResponse
from django.urls import include, path

from accounts.api.bearer import aauthenticate_token, bearer_token
from accounts.async_middleware import without_threads
from accounts.models import SignIn
from accounts.testing import mint_access_token
from accounts.testing.fake import FakeUser
from accounts.tokens import revocation_feed
from sso_project import asgi_handler
from sso_project.asgi_guard import AsgiRequestGuard
from sso_project.asgi_handler import EventLoopHandler, RequestThread
from sso_project.settings import MIDDLEWARE

# The threads have connections of their own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

NEVER_CACHE = "max-age=0, no-cache, no-store, must-revalidate, private"


async def api_call(request):
    _, claims = await aauthenticate_token(bearer_token(request) or "")
    return JsonResponse({"client": claims.client_id})


async def say(request):
    request.session["seen"] = True
    messages.success(request, "Saved.")
    return HttpResponse("said")


async def hear(request):
    texts = [str(message) for message in messages.get_messages(request)]
    return HttpResponse(f"{await request.session.aget('seen')} {texts}")


def thread_name(request):
    return HttpResponse(str(threading.get_ident()))


async def wait(request):
    request.META["waiting"].set()
    await asyncio.Event().wait()


urlpatterns = [
    path("api/call", api_call),
    path("say", say),
    path("hear", hear),
    path("thread", thread_name),
    path("wait", wait),
    path("", include("sso_project.urls")),
]


@pytest.fixture(autouse=True)
def site_middleware(settings, tmp_path):
    """The middleware of a deployed site, without the synchronous one of the tests."""
    settings.MIDDLEWARE = without_threads(MIDDLEWARE)
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = False
    settings.STATIC_ROOT = tmp_path


@pytest.fixture(autouse=True)
def idle(monkeypatch):
    """The idle threads. The connections of all threads are closed after the test."""
    threads, workers = LifoQueue(), []

    def start(*args):
        workers.append(ThreadPoolExecutor(*args))
        return workers[-1]

    monkeypatch.setattr(asgi_handler, "_idle", threads)
    monkeypatch.setattr(asgi_handler, "ThreadPoolExecutor", start)
    yield threads
    for worker in workers:
        worker.submit(connections.close_all).result()
        worker.shutdown()


@pytest.fixture
def steps(monkeypatch):
    """The functions that ran in a thread."""
    functions, call = [], SyncToAsync.__call__

    async def record(self, *args, **kwargs):
        functions.append(self.func.__qualname__)
        return await call(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", record)
    return functions


class Browser:
    """A browser of the ASGI application, with cookies."""

    def __init__(self):
        self.application = AsgiRequestGuard(EventLoopHandler())
        self.cookies = {}

    def send(self, method, url, body=b"", **headers):
        """Send a request and return status, headers and body of the response."""
        return asyncio.run(self.asend(method, url, body, **headers))

    def get(self, url, **headers):
        return self.send("GET", url, **headers)

    async def asend(self, method, url, body=b"", **headers):
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"host": "testserver", "cookie": cookie, **headers}
        if body:
            headers |= {"content-length": str(len(body)),
                        "content-type": "application/x-www-form-urlencoded"}  # fmt: skip
        scope = {"type": "http", "http_version": "1.1", "method": method,
                 "path": urlsplit(url).path, "query_string": urlsplit(url).query.encode(),
                 "client": ("127.0.0.1", 1), "server": ("testserver", 80),
                 "headers": [(name.replace("_", "-").encode(), value.encode())
                             for name, value in headers.items()]}  # fmt: skip
        received, sent = [{"type": "http.request", "body": body}], []

        async def receive():
            return received.pop() if received else await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        await self.application(scope, receive, send)
        fields = [(name.decode().lower(), value.decode()) for name, value in sent[0]["headers"]]
        for name, value in fields:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        content = b"".join(message["body"] for message in sent[1:] if "body" in message)
        return sent[0]["status"], dict(fields), content


# --- Threads --------------------------------------------------------------------------------------


def test_api_call_with_a_known_token_uses_no_thread(cognito, steps, monkeypatch, idle):
    monkeypatch.setattr(revocation_feed._feed(), "_clock", lambda: 0.0)
    browser, token = Browser(), mint_access_token("ada")
    bearer = {"authorization": f"Bearer {token}"}
    assert browser.get("/api/call", **bearer)[0] == 200
    assert steps == ["authenticate_token", "HttpResponseBase.close"]
    steps.clear()
    monkeypatch.setattr(RequestThread, "submit", None)
    status, headers, body = browser.get("/api/call", **bearer)
    assert (status, b"client" in body, steps) == (200, True, [])
    assert headers["x-request-id"]
    assert headers["content-security-policy"]


@pytest.mark.parametrize("signal", [request_started, request_finished])
@pytest.mark.parametrize("is_async", [False, True])
def test_signal_of_an_application_may_use_the_database(cognito, idle, signal, is_async):
    users = []

    def receive(**kwargs):
        users.append(SignIn.objects.count())

    async def areceive(**kwargs):
        users.append(await SignIn.objects.acount())

    receiver = areceive if is_async else receive
    bearer = {"authorization": f"Bearer {mint_access_token('ada')}"}
    browser = Browser()
    browser.get("/api/call", **bearer)
    signal.connect(receiver)
    try:
        assert browser.get("/api/call", **bearer)[0] == 200
    finally:
        signal.disconnect(receiver)
    assert users == [0]


def test_requests_use_the_thread_of_earlier_ones(idle):
    browser, bodies = Browser(), set()
    for _ in range(3):
        bodies.add(browser.get("/thread")[2])
        idle.put(idle.get(timeout=60))  # the thread is released after the response
    assert len(bodies) == 1
    assert str(threading.get_ident()).encode() not in bodies


def test_only_some_idle_threads_are_kept(monkeypatch):
    monkeypatch.setattr(asgi_handler, "_idle", LifoQueue(1))
    first, second = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    asgi_handler._release(first)
    asgi_handler._release(second)
    assert first.submit(int).result() == 0
    with pytest.raises(RuntimeError, match="shutdown"):
        second.submit(int)
    first.shutdown()


def test_view_ends_when_its_client_disconnects(monkeypatch):
    finished = []

    async def story():
        waiting = asyncio.Event()
        messages = [{"type": "http.request"}]

        async def receive():
            if messages:
                return messages.pop()
            await waiting.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            raise AssertionError("nobody reads the response")

        handler = EventLoopHandler()
        create = handler.create_request

        def with_event(*args):
            request, response = create(*args)
            request.META["waiting"] = waiting
            return request, response

        monkeypatch.setattr(handler, "create_request", with_event)
        scope = {"type": "http", "method": "GET", "path": "/wait", "query_string": b"",
                 "headers": [(b"host", b"testserver")]}  # fmt: skip
        await handler(scope, receive, send)

    def record(sender, **kwargs):
        finished.append(sender)

    request_finished.connect(record)
    try:
        asyncio.run(asyncio.wait_for(story(), 60))
    finally:
        request_finished.disconnect(record)
    assert finished == [EventLoopHandler]


def test_handler_serves_only_http():
    with pytest.raises(ValueError, match="lifespan"):
        asyncio.run(EventLoopHandler()({"type": "lifespan"}, None, None))


# --- The site -------------------------------------------------------------------------------------


def test_session_and_messages_are_stored(steps):
    browser = Browser()
    assert browser.get("/say")[0] == 200
    assert {"sessionid", "messages"} <= set(browser.cookies)
    assert browser.get("/hear")[2] == b"True ['Saved.']"
    assert browser.cookies["messages"] == '""'
    assert "SessionsMiddleware.process_response" in steps
    assert "MessagesMiddleware.process_response" in steps


def test_user_signs_in_opens_pages_and_signs_out(cognito):
    browser, user = Browser(), FakeUser("ada", ("admins",), ())
    user.begin_session()
    status, headers, _ = browser.get("/profile/", accept="text/html")
    assert (status, headers["location"]) == (302, "/accounts/login/?next=/profile/")
    query = parse_qs(urlsplit(browser.get("/accounts/login/")[1]["location"]).query)
    user.nonce = query["nonce"][0]
    code, state = cognito.authorize(user), query["state"][0]
    assert browser.get(f"/signin?code={code}&state={state}")[0] == 302
    status, headers, body = browser.get("/profile/", accept="text/html")
    assert (status, headers["cache-control"]) == (200, NEVER_CACHE)
    assert b"ada@example.com" in body
    refused = browser.send("POST", "/accounts/logout/", b"csrfmiddlewaretoken=wrong")
    assert (refused[0], SignIn.objects.live().count()) == (403, 1)
    form = f"csrfmiddlewaretoken={browser.cookies['csrftoken']}".encode()
    assert browser.send("POST", "/accounts/logout/", form)[0] == 302
    assert SignIn.objects.live().count() == 0
    assert browser.get("/profile/", accept="text/html")[0] == 302


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_static_file_is_served(tmp_path):
    (tmp_path / "a.css").write_text("a {}")
    status, headers, body = Browser().get("/static/a.css")
    assert (status, headers["content-type"], body) == (200, 'text/css; charset="utf-8"', b"a {}")
    assert Browser().get("/static/b.css")[0] == 404


@pytest.mark.parametrize(("url", "status"), [("/healthz", 200), ("/readyz", 200), ("/no", 404)])
def test_probes_and_unknown_urls(cognito, url, status):
    assert Browser().get(url)[0] == status


def test_refusal_of_the_guard_has_a_request_id():
    status, headers, body = Browser().get("/api/user", content_type="x" * 2_000)
    assert (status, b"header_too_large" in body) == (431, True)
    assert headers["x-request-id"]


def test_page_is_in_the_language_of_its_request():
    browser = Browser()
    for language in ("de", "en", "de"):
        headers = browser.get("/", accept_language=language)[1]
        assert headers["content-language"] == language
