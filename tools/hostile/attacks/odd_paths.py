"""Paths and queries that could leave the site, cause an error, or redirect to another host."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from ..attack import CLOSED, OFF_SITE, REFUSED, Attack, Attacker, Response

PATHS = (
    "/%00",
    "/%ff%fe",
    "/..%2f..%2fetc/passwd",
    "/static/..%2f..%2fsso_project/settings.py",
    "/static/../../sso_project/settings.py",
    "//elsewhere.example/%2f..",
    "/\\elsewhere.example",
    "/admin/stats/stat/%C2%B3/history/",
    "/admin/stats/stat/%00/change/",
    "/api/stats/" + "9" * 400,
    "/api/stats/%C2%B3",
    "/api/stats?year=" + "9" * 4_000,
    "/api/stats?cursor=%00&limit=1",
    "/dashboard/?kpi=%00",
    "/dashboard/figures/99999999999999999999/edit/",
    "/" + "a" * 7_000,
    "/?" + "a=b&" * 1_700,
    "/?a=%00%ff",
    "/%e2%80%a8%0d%0aSet-Cookie:%20a=b",
    "/signin?error=%00&state=%00",
    "/signin?state=" + "x" * 7_000 + "&code=1",
    "/signin?code=a&code=b&state=a&state=b",
    "/signout?state=%00",
    "/accounts/login/?next=//elsewhere.example",
    "/accounts/login/?next=https:elsewhere.example",
    "/accounts/login/?next=%00",
    "/docs/../metrics",
    "/metrics",
)


def odd_paths(attacker: Attacker) -> Iterator[Response]:
    """Request each path as HTML and as JSON; a redirect must stay on the site."""
    while True:
        path = attacker.random.choice(PATHS)
        method = attacker.random.choice(("GET", "GET", "HEAD", "OPTIONS", "POST", "TRACE"))
        accept = attacker.random.choice(("text/html", "application/json"))
        response = attacker.request(method, path, [("Accept", accept)])
        yield response if stays(response, attacker) else Response(OFF_SITE, response.head)


def stays(response: Response, attacker: Attacker) -> bool:
    """Return False if the response redirects to another host than the site or its hosted UI."""
    location = response.header("Location")
    host = urlsplit(location.replace("\\", "/")).netloc
    pool = urlsplit(attacker.target.pool_url).netloc
    return host in ("", f"localhost:{attacker.target.proxy_port}", pool)


def direct_paths(attacker: Attacker) -> Iterator[Response]:
    """Request the paths from an instance, without the normalization of the proxy."""
    while True:
        path = attacker.random.choice(PATHS[:-2])
        yield attacker.request("GET", path, port=attacker.any_instance)


_ACCEPTABLE = REFUSED | {200, 301, 302, 304}
ATTACKS = (
    Attack("odd paths", odd_paths, 4, _ACCEPTABLE),
    Attack("odd paths to an instance", direct_paths, 2, _ACCEPTABLE | {CLOSED}),
)
