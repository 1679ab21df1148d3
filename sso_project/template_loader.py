"""A template loader that replaces constant tags and includes before Django compiles them.

A page has dozens of texts, links and URLs of static files, and some included templates. Django
looks each of them up on every rendering.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.template import Origin, TemplateDoesNotExist
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

# {% blocktranslate with time=moment|time_ago %}seen {{ time }}{% endblocktranslate %}
_BLOCK = re.compile(
    r"""\{%\ blocktrans(?:late)?
        (?:\ with\ (?P<variables>(?:(?!\b(?:asvar|context|count|trimmed)\b)[^%])+))?\ %\}
        (?P<text>(?:[^{}]|\{\{\ \w+\ \}\})+)
        \{%\ endblocktrans(?:late)?\ %\}""",
    re.VERBOSE,
)
# {% include "_header.html" %}, but not one that sets variables or chooses the template.
_INCLUDE = re.compile(r"""\{% include (['"])(?P<name>[\w./-]+)\1 %\}""")


class Loader(cached.Loader):
    """Django's cached loader, with one compiled template for each language."""

    def cache_key(self, template_name: str, skip: Any = None) -> str:
        urls = get_urlconf() or settings.ROOT_URLCONF
        key = super().cache_key(template_name, skip)
        return f"{get_language()} {get_script_prefix()} {urls} {key}"

    def get_contents(self, origin: Origin) -> str:
        return replace_constants(self.inline_includes(super().get_contents(origin)))

    def inline_includes(self, source: str) -> str:
        """Return the source of a template with the sources of those that it includes."""
        return _INCLUDE.sub(self._included, source)

    def _included(self, tag: re.Match[str]) -> str:
        """Return the source of the included template. One with blocks has a scope of its own."""
        for origin in self.get_template_sources(tag["name"]):
            try:
                source = self.get_contents(origin)
            except TemplateDoesNotExist:
                continue
            return tag[0] if "{% block " in source or "{% extends " in source else source
        return tag[0]


def replace_constants(source: str) -> str:
    """Return the source of a template with the results of its constant tags."""
    return _BLOCK.sub(_translated, _CONSTANT.sub(_result, source))


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


def _translated(tag: re.Match[str]) -> str:
    """Return the translation with its variables, in a `with` tag if the block defines some."""
    message = re.sub(r"\{\{ (\w+) \}\}", r"%(\1)s", tag["text"].replace("%", "%%"))
    text = gettext(message)
    if "{" in text:
        return tag[0]
    text = re.sub(r"%\((\w+)\)s", r"{{ \1 }}", text).replace("%%", "%")
    return f"{{% with {tag['variables']} %}}{text}{{% endwith %}}" if tag["variables"] else text
