"""A template loader that replaces tags whose result is constant before Django compiles them.

A page has dozens of texts, links and URLs of static files. Django looks each of them up on every
rendering.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.template import Origin
from django.template.loaders import cached
from django.templatetags.static import static
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.html import escape
from django.utils.translation import get_language, gettext, pgettext

# {% translate "text" %}, {% translate "text" context "groups" %}, {% static 'css/base.css' %} and
# {% url 'home' %}, but no URL of an admin: it is that of the admin site of the request.
_CONSTANT = re.compile(
    r"""\{%\ (?:
        trans(?:late)?\ (?P<q>['"])(?P<text>(?:(?!(?P=q))[^\\{}])+)(?P=q)
            (?:\ context\ (['"])(?P<context>\w+)\3)?
        | static\ (['"])(?P<path>[\w./-]+)\5
        | url\ (['"])(?P<view>(?!admin:)[\w:-]+)\7
    )\ %\}""",
    re.VERBOSE,
)


class Loader(cached.Loader):
    """Django's cached loader, with one compiled template for each language."""

    def cache_key(self, template_name: str, skip: Any = None) -> str:
        urls = get_urlconf() or settings.ROOT_URLCONF
        key = super().cache_key(template_name, skip)
        return f"{get_language()} {get_script_prefix()} {urls} {key}"

    def get_contents(self, origin: Origin) -> str:
        return replace_constants(super().get_contents(origin))


def replace_constants(source: str) -> str:
    """Return the source of a template with the results of its constant tags."""
    return _CONSTANT.sub(_result, source)


def _result(tag: re.Match[str]) -> str:
    if tag["path"]:
        return escape(static(tag["path"]))
    if tag["view"]:
        try:
            return escape(reverse(tag["view"]))
        except NoReverseMatch:
            return tag[0]
    message = tag["text"].replace("%", "%%")
    text = pgettext(tag["context"], message) if tag["context"] else gettext(message)
    return tag[0] if "{" in text else text.replace("%%", "%")
