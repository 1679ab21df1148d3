"""`/api/stats` with the content of the file BENCH_BODY, which is a response of the list."""

import os
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

BODY = Path(os.environ["BENCH_BODY"]).read_bytes()


def constant(request: HttpRequest) -> HttpResponse:
    return HttpResponse(BODY, content_type="application/json")


urlpatterns = [
    path("api/stats", constant),
    path("", include("sso_project.urls")),  # URLs that middleware reverses
]
