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
# {% include "_header.html" %}, but not one that sets variables or chooses the template, and not in
# a comment.
_INCLUDE = re.compile(r"""\{\#.*?\#\}|\{% include (['"])(?P<name>(?:[\w-]+/)*_[\w.-]+)\1 %\}""")
# An included template with one of these has a scope or a state of its own.
_SCOPED = re.compile(r"\{%\s*(?:block|extends|cycle|ifchanged|partialdef)\b")
_SETS_VARIABLE = re.compile(r"\bas \w+ %\}")
# In a source with one of these, a tag may have another result.
_EXCEPTION = re.compile(r"\{%\s*(?:language|verbatim)\b")


class Loader(cached.Loader):
    """Django's cached loader, with one compiled template for each language."""

    def cache_key(self, template_name: str, skip: Any = None) -> str:
        urls = get_urlconf() or settings.ROOT_URLCONF
        key = super().cache_key(template_name, skip)
        return f"{get_language()} {get_script_prefix()} {urls} {key}"

    def get_contents(self, origin: Origin) -> str:
        return replace_constants(self.inline_includes(super().get_contents(origin)))

    def inline_includes(self, source: str, within: tuple[str, ...] = ()) -> str:
        """Return the source of a template with the sources of those that it includes.

        `within` has the names of the templates that include it.
        """
        if _EXCEPTION.search(source):
            return source
        return _INCLUDE.sub(lambda tag: self._included(tag, within), source)

    def _included(self, tag: re.Match[str], within: tuple[str, ...]) -> str:
        """Return the source of the included template, or the tag if it must stay."""
        name = tag["name"]
        for origin in self.get_template_sources(name) if name and name not in within else ():
            try:
                source = super().get_contents(origin)
            except TemplateDoesNotExist:
                continue
            if _SCOPED.search(source):
                break
            is_setting = _SETS_VARIABLE.search(source)
            source = self.inline_includes(source, (*within, name))
            return f"{{% with _=1 %}}{source}{{% endwith %}}" if is_setting else source
        return tag[0]


def replace_constants(source: str) -> str:
    """Return the source of a template with the results of its constant tags."""
    if _EXCEPTION.search(source):
        return source
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
    text = re.sub(r"(?<!%)%\((\w+)\)s", r"{{ \1 }}", text).replace("%%", "%")
    return f"{{% with {tag['variables']} %}}{text}{{% endwith %}}" if tag["variables"] else text
