"""Django's middleware without threads, in a host project."""

import pytest
from asgiref.sync import SyncToAsync, async_to_sync
from django.contrib import messages
from django.http import HttpResponse
from django.test import AsyncClient
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from accounts.async_middleware import without_threads

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
DJANGO = "django.middleware"  # in the order of `startproject`
MIDDLEWARE = [
    "accounts.middleware.PrivateResponseMiddleware",
    f"{DJANGO}.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    f"{DJANGO}.common.CommonMiddleware",
    f"{DJANGO}.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    f"{DJANGO}.clickjacking.XFrameOptionsMiddleware",
    "accounts.middleware.SignInMiddleware",
]


async def page(request):
    return HttpResponse("page")


async def change(request):
    request.session["seen"] = True
    return HttpResponse("changed")


async def say(request):
    messages.success(request, "Saved.")
    return HttpResponse("said")


urlpatterns = [
    path("page", page),
    path("exempt", csrf_exempt(page)),
    path("change", change),
    path("say", say),
    path("", include("sso_project.urls")),
]


@pytest.fixture
def send(settings, monkeypatch):
    """Send a request, and return its status and the steps that ran in a thread."""
    settings.MIDDLEWARE = without_threads(MIDDLEWARE)
    functions, call = [], SyncToAsync.__call__

    async def record(self, *args, **kwargs):
        functions.append(self.func.__qualname__)
        return await call(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", record)
    client = AsyncClient(enforce_csrf_checks=True)

    def request(url, method="get"):
        functions.clear()
        response = async_to_sync(getattr(client, method))(url)
        steps = [name for name in functions if "Middleware" in name]
        return response.status_code, steps

    return request


@pytest.mark.parametrize(
    ("url", "method", "expected"),
    [
        ("/page", "get", (200, [])),
        ("/exempt", "post", (200, [])),
        ("/page", "post", (403, ["CsrfViewMiddleware.process_view"])),
        ("/change", "get", (200, ["SessionMiddleware.process_response"])),
        ("/say", "get", (200, ["MessageMiddleware.process_response"])),
    ],
)
def test_only_steps_with_io_use_a_thread(send, url, method, expected):
    assert send(url, method) == expected


def test_token_in_the_session_is_read_in_a_thread(send, settings):
    settings.CSRF_USE_SESSIONS = True
    _, steps = send("/page")
    assert steps == ["CsrfViewMiddleware.process_request", "CsrfViewMiddleware.process_response"]


def test_every_request_can_save_its_session(send, settings):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    assert send("/page") == (200, ["SessionMiddleware.process_response"])


def test_classes_of_other_packages_stay():
    others = ["corsheaders.middleware.CorsMiddleware", "mysite.middleware.SessionMiddleware",
              "django.middleware.gzip.GZipMiddleware"]  # fmt: skip
    assert without_threads(others) == others
