"""The message files are current, complete and compiled, and templates hold no unmarked text."""

import re
from html.parser import HTMLParser
from pathlib import Path

import django
import pytest
from babel.messages.mofile import read_mo
from django.conf import settings
from django.template.base import Lexer, TokenType

from tools import messages
from tools.messages import APPLICATIONS, LANGUAGES, ROOT

FILES = [(application, language) for application in APPLICATIONS for language in LANGUAGES]
FILES_IDS = [f"{application.name}-{language}" for application, language in FILES]
by_file = pytest.mark.parametrize(("application", "language"), FILES, ids=FILES_IDS)

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# Names, and what users copy to operators.
UNTRANSLATED = {"API", "(sub)", "· API", "GET", "OPTIONS", "DELETE", "PATCH", "HTTP", "login"}
TEXT_ATTRIBUTES = {"alt", "aria-label", "placeholder", "title"}


def test_all_languages_have_message_files():
    assert {code for code, _ in settings.LANGUAGES} == {"en", *LANGUAGES}


@by_file
def test_message_file_has_the_messages_of_the_source(application, language):
    current = keys(messages.extracted(application))
    assert keys(messages.stored(application, language)) == current, "run python -m tools.messages"


def keys(catalog):
    return {(message.context, message.id) for message in catalog if message.id}


@by_file
def test_message_file_is_compiled(application, language):
    compiled = application.po_file(language).with_suffix(".mo").read_bytes()
    assert compiled == messages.mo_bytes(messages.stored(application, language))


@by_file
def test_each_message_has_a_translation_with_the_same_placeholders(application, language):
    catalog = messages.stored(application, language)
    for message in catalog:
        if not message.id:
            continue
        assert messages.all_strings(message), message.id
        assert not message.fuzzy, message.id
        assert list(message.check(catalog)) == [], message.id
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for index, string in enumerate(strings):
            assert tags_and_names(string) == tags_and_names(ids[min(index, len(ids) - 1)]), string


@by_file
def test_message_of_django_keeps_its_translation(application, language):
    """The messages of all applications are in one catalog, and ours come first."""
    for part in ("conf", "contrib/admin", "contrib/auth"):
        path = Path(django.__file__).parent / part / f"locale/{language}/LC_MESSAGES/django.mo"
        with path.open("rb") as file:
            of_django = read_mo(file)
        for message in messages.stored(application, language):
            same = of_django.get(message.id, message.context) if message.id else None
            assert same is None or same.string == message.string, "give it another context"


def tags_and_names(text):
    """Return the HTML tags and the code in a text, which a translation has to keep."""
    return sorted(re.findall(r"<[^>]*>|`[^`]*`|%\(\w+\)", text))


class _Texts(HTMLParser):
    def __init__(self):
        super().__init__()
        self.texts, self._skipped = [], ""

    def handle_starttag(self, tag, attrs):
        self._skipped = tag if tag in ("script", "style") else ""
        self.texts += [value for name, value in attrs if name in TEXT_ATTRIBUTES and value]

    def handle_endtag(self, tag):
        self._skipped = ""

    def handle_data(self, data):
        if not self._skipped:
            self.texts.append(data)


def unmarked(source):
    """Return the texts of a template that are not inside a translation."""
    html, is_in_block = [], False
    for token in Lexer(source).tokenize():
        name = token.contents.partition(" ")[0] if token.token_type == TokenType.BLOCK else ""
        if name in ("blocktranslate", "comment"):
            is_in_block = True
        elif name in ("endblocktranslate", "endcomment"):
            is_in_block = False
        elif token.token_type == TokenType.TEXT and not is_in_block:
            html.append(token.contents)
        html.append("\n" if name == "endblock" else "")
    parser = _Texts()
    parser.feed("".join(html))
    texts = (" ".join(text.split()) for text in "\n".join(parser.texts).splitlines())
    return [
        text
        for text in texts
        if re.search(r"[^\W\d_]{2}", text) and text not in UNTRANSLATED and text[:6] != "page--"
    ]


def test_unmarked_text_is_found():
    assert unmarked('<p>{% translate "Signed in" %} at Cognito</p><img alt="Logo">') == [
        "at Cognito",
        "Logo",
    ]
    marked = "{% blocktranslate %}Signed in at {{ place }}{% endblocktranslate %} {{ name }} · 1"
    assert unmarked(f'<p class="muted">{marked}</p><script>let one</script>') == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_template_has_no_unmarked_text(path):
    assert unmarked(path.read_text()) == []
