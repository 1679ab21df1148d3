"""What kind of answer a request can use: a page for a person, or words for a program."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

from .app_label import page_address

_PAGES = ("text/html", "application/xhtml+xml", "*/*")


def page(request: HttpRequest) -> bool:
    """Whether a browser is going somewhere with this request, rather than a script asking.

    Browsers say so in Sec-Fetch-Mode (https://www.w3.org/TR/fetch-metadata/); libraries in
    X-Requested-With; everybody else by what they accept. Who gives no sign gets a page.
    """
    if mode := request.headers.get("Sec-Fetch-Mode"):
        return mode == "navigate"
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return False
    accepted = request.headers.get("Accept", "").lower()
    return not accepted or any(kind in accepted for kind in _PAGES)


def current_page(request: HttpRequest) -> str:
    """Path and query of the page that this request was sent from, or an empty string.

    A form's address, or a script's, is no place to come back to after signing in; the page that
    sent it is. Only ever our own pages: Referer is compared with the request's host.
    """
    if request.method in ("GET", "HEAD") and page(request):
        return request.get_full_path()
    parts = urlsplit(request.headers.get("Referer", ""))
    # "//" would begin the address of another host.
    if parts.netloc != request.get_host() or not re.match("/(?!/)", parts.path):
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def safe_next_url(request: HttpRequest) -> str:
    """`?next=` as a path of this site with its query, or an empty string."""
    wanted = request.GET.get("next", "") or request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return ""
    parts = urlsplit(wanted)
    path = iri_to_uri(urlunsplit(("", "", parts.path, parts.query, "")))
    if not path.startswith("/") or path.startswith("//"):
        return ""
    steps = ("login", "signup", "callback", "logout", "signed_out")
    if parts.path in {page_address(step) for step in steps}:
        return ""  # a step of signing in or out is nowhere to come back to
    return path


def destination(next_url: str) -> str:
    """`next_url`, or where people go who did not ask for a page."""
    return next_url or resolve_url(settings.LOGIN_REDIRECT_URL)
