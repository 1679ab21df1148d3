"""Middleware in an event loop: the order and the errors of Django, and threads only for I/O."""

import threading

import pytest
from asgiref.sync import async_to_sync
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path
from django.utils.deprecation import MiddlewareMixin

from accounts.core.event_loop import EventLoopMiddleware

pytestmark = pytest.mark.urls(__name__)
STEPS = []  # of the request that a test sends
FAULTS = {}  # what a step does instead: "raise" or "respond"


def step(name, response=None):
    STEPS.append(name)
    fault = FAULTS.get(name)
    if fault == "raise":
        raise PermissionError(name)
    return HttpResponse(name) if fault == "respond" else response


class Steps:
    def process_request(self, request):
        return step(f"{type(self).__name__} request")

    def process_view(self, request, view, *args):
        return step(f"{type(self).__name__} view")

    def process_response(self, request, response):
        return step(f"{type(self).__name__} response", response)


class First(Steps, EventLoopMiddleware):
    pass


class Second(EventLoopMiddleware):
    def process_response(self, request, response):
        return step("Second response", response)


class OfDjango(Steps, MiddlewareMixin):
    pass


class Third(Steps, EventLoopMiddleware):
    pass


class Last(EventLoopMiddleware):
    def process_request(self, request):
        return step("Last request")


class OwnCall(Steps, EventLoopMiddleware):
    def __call__(self, request):
        step("own call")
        return super().__call__(request)


def view(request):
    return step("view", HttpResponse("view"))


async def awaited(request):
    return view(request)


urlpatterns = [path("view", view), path("awaited", awaited)]


def respond(url, middleware, settings, *, is_async):
    STEPS.clear()
    settings.MIDDLEWARE = [f"{__name__}.{item.__name__}" for item in middleware]
    handler, request = BaseHandler(), RequestFactory(raise_request_exception=False).get(url)
    handler.load_middleware(is_async=is_async)
    if is_async:
        response = async_to_sync(handler.get_response_async)(request)
    else:
        response = handler.get_response(request)
    return response.status_code, response.content, list(STEPS)


@pytest.mark.parametrize("fault", ["", "raise", "respond"])
@pytest.mark.parametrize(
    "at",
    ["First request", "Third request", "Last request", "Third view", "view", "Second response"],
)
def test_steps_and_errors_are_those_of_a_synchronous_stack(settings, monkeypatch, at, fault):
    monkeypatch.setitem(FAULTS, at, fault)
    stack = [First, Second, OfDjango, Third, Last]
    expected = respond("/view", stack, settings, is_async=False)
    assert at in expected[2]
    assert respond("/awaited", stack, settings, is_async=True) == expected


def test_step_that_needs_no_thread_runs_in_the_event_loop(settings, monkeypatch):
    threads = []
    monkeypatch.setattr(f"{__name__}.step", lambda name, response=None: threads.append(
        threading.get_ident()) or response)  # fmt: skip
    respond("/awaited", [First, Third], settings, is_async=True)
    assert len(threads) == 7
    assert len(set(threads)) == 1


@pytest.mark.parametrize("phase", ["request", "view", "response"])
def test_step_that_needs_a_thread_gets_one(settings, monkeypatch, phase):
    threads = {}

    def record(name, response=None):
        threads[name] = threading.get_ident()
        return response

    monkeypatch.setattr(f"{__name__}.step", record)
    monkeypatch.setattr(Third, f"{phase}_needs_thread", lambda *args: True)
    respond("/awaited", [First, Third], settings, is_async=True)
    elsewhere = [name for name, thread in threads.items() if thread != threads["view"]]
    assert elsewhere == [f"Third {phase}"]


def test_middleware_with_its_own_call_is_called(settings):
    expected = respond("/view", [First, OwnCall, Third], settings, is_async=False)
    assert "own call" in expected[2]
    assert respond("/awaited", [First, OwnCall, Third], settings, is_async=True) == expected
