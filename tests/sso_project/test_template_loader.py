"""Tags with a constant result are replaced when a template is loaded, once per language."""

import pytest
from django.forms.utils import ErrorList
from django.template import engines
from django.template.loader import get_template
from django.template.loader_tags import IncludeNode
from django.utils import translation
from django.utils.html import format_html

from sso_project.form_renderer import FormRenderer
from sso_project.template_loader import replace_constants

HOSTILE = '"><script>alert(1)</script>'
TAGS = [
    '{% translate "Sign out" %}',
    "{% translate 'Sign out' %}",
    '{% translate "None" context "groups" %}',
    "{% static 'css/base.css' %}",
    "{% url 'home' %}",
    "{% url 'accounts:profile' %}",
]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("tag", TAGS)
def test_constant_tag_has_the_result_that_django_renders(tag, language):
    with translation.override(language):
        replaced = replace_constants(tag)
        assert "{%" not in replaced
        template = engines["django"].from_string("{% load i18n static %}" + tag)
        assert replaced == template.render()


@pytest.mark.parametrize(
    "tag",
    [
        "{% url 'admin:index' %}",
        "{% url 'home' as url %}",
        "{% url 'stats:edit' 1 %}",
        "{% url 'no-such-view' %}",
        "{% translate name %}",
        '{% translate "Sign out" as text %}',
        '{% translate "Sign out"|upper %}',
        "{% static path %}",
        "{% blocktranslate trimmed %}Sign out{% endblocktranslate %}",
        "{% blocktranslate with a=b context 'c' %}{{ a }}{% endblocktranslate %}",
        "{% blocktranslate count n=n %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}",
    ],
)
def test_other_tag_stays(tag):
    assert replace_constants(tag) == tag


BLOCKS = [
    "{% blocktranslate %}Signed in as {{ shown }}{% endblocktranslate %}",
    "{% blocktranslate with month=shown|upper %}since {{ month }}{% endblocktranslate %}",
    "{% blocktranslate with total=12.5 %}{{ shown }} of {{ total }} KPIs.{% endblocktranslate %}",
    "{% blocktranslate %}100% of {{ shown }}{% endblocktranslate %}",
]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("block", BLOCKS)
def test_block_with_variables_has_the_result_that_django_renders(block, language):
    with translation.override(language):
        replaced = replace_constants(block)
        assert "blocktranslate" not in replaced
        texts = {
            engines["django"].from_string("{% load i18n %}" + source).render({"shown": HOSTILE})
            for source in (block, replaced)
        }
        assert len(texts) == 1
        assert "<script>" not in texts.pop().lower()


def test_included_template_is_part_of_the_page():
    page = get_template("base.html").template
    assert not page.nodelist.get_nodes_by_type(IncludeNode)
    assert "data-theme-toggle" in page.source  # it is included by _header.html


def test_include_with_variables_or_with_blocks_stays():
    loader = get_template("base.html").template.engine.template_loaders[0]
    for source in [
        '{% include "stats/_field.html" with field=field %}',
        '{% include "no-such-template.html" %}',
        '{% include "base.html" %}',
        "{% include name %}",
    ]:
        assert loader.inline_includes(source) == source


def test_template_is_compiled_once_per_language():
    with translation.override("en"):
        english = get_template("_header.html").template
        assert get_template("_header.html").template is english
    with translation.override("de"):
        assert get_template("_header.html").template is not english


def test_input_is_rendered_as_django_does():
    widget = {"type": "text", "name": "n", "value": HOSTILE}
    widget["attrs"] = {"a": HOSTILE, "b": True, "c": False, "d": format_html("{}", "<")}
    context = {"widget": {**widget, "template_name": "django/forms/widgets/text.html"}}
    name = "django/forms/widgets/text.html"
    expected = super(FormRenderer, FormRenderer()).render(name, context)
    assert FormRenderer().render(name, context) == expected
    assert "<script>" not in expected


@pytest.mark.parametrize("messages", [[], [HOSTILE]])
def test_errors_are_rendered_as_django_does(messages):
    context = {"errors": messages, "error_class": "errorlist"}
    expected = super(FormRenderer, FormRenderer()).render(ErrorList.template_name, context)
    assert FormRenderer().render(ErrorList.template_name, context) == expected
    assert "<script>" not in expected
