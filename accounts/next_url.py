"""Where to go after signing in: an address of this site, or nowhere in particular.

Open redirects hide in odd spellings (`//host`, `/\\host`, control characters; CVE-2018-14574 and
relatives), so Django's own check decides, and only path and query of what passed are kept.
"""

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

from .names import page_address


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
