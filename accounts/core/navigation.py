"""Detect whether a request expects an HTML page, and where to return to after a sign-in."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

from .app_label import page_url

_PAGES = ("text/html", "application/xhtml+xml")
# The headers that decide what a request expects, and where its user returns to.
VARY = ("Accept", "Sec-Fetch-Mode", "X-Requested-With", "HX-Request", "HX-Current-URL")


def is_page_request(request: HttpRequest) -> bool:
    """Return True if a browser navigates with this request, False for a script's request.

    Browsers send Sec-Fetch-Mode (https://www.w3.org/TR/fetch-metadata/), JavaScript libraries send
    X-Requested-With, htmx sends HX-Request. Without these headers, Accept decides: a request that
    names JSON and not HTML is a script's, and `*/*` alone decides nothing.
    """
    if is_htmx(request):
        return False
    if mode := request.headers.get("Sec-Fetch-Mode"):
        return mode == "navigate"
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return False
    accepted = request.headers.get("Accept", "").lower()
    if any(kind in accepted for kind in _PAGES):
        return True
    return not accepted or ("*/*" in accepted and "json" not in accepted)


def is_htmx(request: HttpRequest) -> bool:
    """Return True for a request of htmx, which follows redirects within the page."""
    return request.META.get("HTTP_HX_REQUEST") == "true"


def is_prefetch(request: HttpRequest) -> bool:
    """Return True if a browser marks the request as one that its user did not make.

    https://wicg.github.io/nav-speculation/prefetch.html, and the names of earlier browsers.
    """
    marks = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
    purposes = " ".join(request.headers.get(name, "") for name in marks).lower()
    return any(kind in purposes for kind in ("prefetch", "prerender", "preview"))


def page_path(request: HttpRequest) -> str:
    """Return path and query of the page that sent this request, or "" if it is not one of ours.

    After a sign-in, the user returns to the page that holds a form or a script, and not to the URL
    that it called. HX-Current-URL or Referer must name the request's host.
    """
    if request.method in ("GET", "HEAD") and is_page_request(request):
        return request.get_full_path()
    current = request.headers.get("HX-Current-URL", "") if is_htmx(request) else ""
    parts = _split(current or request.headers.get("Referer", ""))
    # "//" would begin the URL of another host.
    if parts.netloc != request.get_host() or not re.match("/(?!/)", parts.path):
        return ""
    return urlunsplit(("", "", parts.path, parts.query, parts.fragment))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # such as "http://["
        return urlsplit("")


def safe_next_url(request: HttpRequest) -> str:
    """Return `?next=` as a path of this site with its query and fragment, or ""."""
    wanted = request.GET.get("next", "") or request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return ""
    parts = urlsplit(wanted)
    path = iri_to_uri(urlunsplit(("", "", parts.path, parts.query, parts.fragment)))
    if not path.startswith("/") or path.startswith("//"):
        return ""
    steps = ("login", "signup", "callback", "logout", "signed_out")
    if parts.path in {page_url(step) for step in steps}:
        return ""  # signing in must not return to a step of signing in or out
    return path


def redirect_target(next_url: str) -> str:
    """Return `next_url`, or LOGIN_REDIRECT_URL if it is empty."""
    return next_url or resolve_url(settings.LOGIN_REDIRECT_URL)
