"""An API view as a coroutine on ASGI and as a function on WSGI (see ../inside.py)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from accounts.api.bearer import aauthenticate_token, authenticate_token, bearer_token

from ..measuring import MeasurementError, in_turn
from .wsgi import requests_of

# A round has many short turns, so that other work on the machine affects both views alike.
REQUESTS, TURNS = 25, 20


async def awaited(request: HttpRequest) -> JsonResponse:
    user, claims = await aauthenticate_token(bearer_token(request) or "")
    return JsonResponse({"user": user.pk, "client": claims.client_id})


def plain(request: HttpRequest) -> JsonResponse:
    user, claims = authenticate_token(bearer_token(request) or "")
    return JsonResponse({"user": user.pk, "client": claims.client_id})


urlpatterns = [
    path("api/awaited", awaited),
    path("api/plain", plain),
    path("", include("sso_project.urls")),  # URLs that middleware reverses
]


def main(order: dict[str, Any]) -> dict[str, list[float]]:
    """Return the CPU seconds of a request to each view, by round."""
    settings.ROOT_URLCONF = __name__
    scope = scope_of("/api/awaited", order["headers"])
    plain_request = requests_of("/api/plain", order["headers"])
    with asyncio.Runner() as runner:
        subjects = {
            "awaited": lambda: runner.run(_await_all(scope)),
            "plain": lambda: _call_all(plain_request),
        }
        series = in_turn(subjects, order["rounds"] * TURNS)
    rounds = {}
    for name, item in series.items():
        item.spread()  # raises MeasurementError after a wrong response
        starts = range(0, len(item.values), TURNS)
        rounds[name] = [fmean(item.values[start : start + TURNS]) for start in starts]
    return rounds


def _call_all(request: Callable[[], object]) -> float:
    started = time.process_time()
    for _ in range(REQUESTS):
        request()
    return (time.process_time() - started) / REQUESTS


async def _await_all(scope: dict[str, Any]) -> float:
    started = time.process_time()
    for _ in range(REQUESTS):
        await send_request(scope)
    return (time.process_time() - started) / REQUESTS


def scope_of(url_path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the ASGI scope of a GET request."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": url_path,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }


async def send_request(scope: dict[str, Any]) -> bytes:
    """Send a request to our application and return the body of the response."""
    from sso_project.asgi import application  # requires that Django is set up

    sent: list[Mapping[str, Any]] = []
    received: list[Mapping[str, Any]] = [{"type": "http.request"}]

    async def receive() -> Mapping[str, Any]:
        if received:
            return received.pop()
        await asyncio.get_running_loop().create_future()  # the client stays connected
        return {}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await application(dict(scope), receive, send)
    if sent[0]["status"] != 200:
        raise MeasurementError(f"{scope['path']} responds with {sent[0]['status']}")
    return b"".join(message["body"] for message in sent[1:])
