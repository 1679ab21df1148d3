"""Names that depend on the folder's name.

A host project that names the folder `sso` has `sso:login` and `sso/problem.html`, and can have an
`accounts` of its own.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.template import Template
from django.template.engine import Engine
from django.urls import reverse
from django.utils import translation

PACKAGE = __name__.rpartition(".core.")[0]
LABEL = PACKAGE.rpartition(".")[2]


def page_url(name: str, *args: Any) -> str:
    """Return the path of one of our pages, for example for `"login"`."""
    return reverse(f"{LABEL}:{name}", args=args)


def registered_path(name: str) -> str:
    """Return the path of a page that is registered at the app client.

    Under `i18n_patterns` it is that of LANGUAGE_CODE, whatever the visitor's language is.
    """
    with translation.override(settings.LANGUAGE_CODE):
        return page_url(name)


def template_name(name: str) -> str:
    """Return the template name of one of our pages, for example for `"problem.html"`."""
    return f"{LABEL}/{name}"


def layout() -> Template:
    """Return the template that our pages extend: `base.html` of the project, or else our plain one.

    Pages have this function in their context, so that a project without templates can use them.
    """
    return Engine.get_default().select_template(["base.html", template_name("layout.html")])


def cookie_name(name: str) -> str:
    """Return the name of a cookie of this site: with `__Host-` if cookies are Secure here.

    Browsers take such a cookie from this very host only (RFC 6265bis section 4.1.3.2), so another
    host of the domain cannot plant one.
    """
    return f"__Host-{name}" if settings.SESSION_COOKIE_SECURE else name
