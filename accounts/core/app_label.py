"""Names that follow the folder: a project that takes it in as `sso` has `sso:login` and
`sso/problem.html`, and keeps its own `accounts`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

PACKAGE = __name__.rpartition(".core.")[0]
LABEL = PACKAGE.rpartition(".")[2]


def page_address(name: str, *args: Any) -> str:
    """The path of one of our pages, such as `page_address("login")`."""
    return reverse(f"{LABEL}:{name}", args=args)


def template(name: str) -> str:
    """The template of one of our pages, `template("problem.html")`: in the folder's own name."""
    return f"{LABEL}/{name}"


def cookie_name(name: str) -> str:
    """Return the name of a cookie of this site: with `__Host-` if cookies are Secure here.

    Browsers take such a cookie from this very host only (RFC 6265bis section 4.1.3.2), so another
    host of the domain cannot plant one.
    """
    return f"__Host-{name}" if settings.SESSION_COOKIE_SECURE else name
