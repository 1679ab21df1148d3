"""Tags with a constant result are replaced when a template is loaded, once per language."""

import pytest
from django.forms.utils import ErrorList
from django.template import Context, Engine, engines
from django.template.loader import get_template
from django.template.loader_tags import IncludeNode
from django.template.loaders import cached
from django.utils import translation
from django.utils.html import format_html

from sso_project.form_renderer import FormRenderer
from sso_project.template_loader import Loader, replace_constants

I18N = "django.templatetags.i18n"
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


@pytest.mark.parametrize(
    "source",
    [
        '{% include "stats/_field.html" with field=field %}',
        '{% include "stats/_no_such_template.html" %}',
        '{% include "./_header.html" %}',
        '{% include "base.html" %}',
        "{% include name %}",
        '{# {% include "_header.html" %} #}',
        '{% verbatim %}{% include "_header.html" %}{% endverbatim %}',
    ],
)
def test_other_include_stays(source):
    loader = get_template("base.html").template.engine.template_loaders[0]
    assert loader.inline_includes(source) == source


PARTIALS = {
    "_sets.html": "{% firstof 'inner' as title %}[{{ title }}]",
    "_cycle.html": "{% cycle 'a' 'b' %}",
    "_tree.html": "{{ n.name }}{% for n in n.nodes %}{% include '_tree.html' %}{% endfor %}",
    "_block.html": "{%block title%}a{%endblock%}",
}


@pytest.mark.parametrize(
    "source",
    [
        "{{ title }}{% include '_sets.html' %}{{ title }}",
        "{% for n in '123' %}{% include '_cycle.html' %}{% endfor %}",
        "{% include '_tree.html' %}",
        "{% include '_block.html' %}{% include '_block.html' %}",
        "{% load i18n %}{% language 'de' %}{% translate 'Yes' %}{% endlanguage %}",
        "{% load i18n %}{% language 'de' %}{% blocktrans %}Yes{% endblocktrans %}{% endlanguage %}",
        "{% load i18n %}{% blocktranslate %}%(x)s {{ title }}{% endblocktranslate %}",
    ],
)
def test_page_is_the_one_that_django_renders(source):
    context = {"title": "outer", "x": "X", "n": {"name": "a", "nodes": [{"name": "b"}]}}
    pages = []
    for loader in (cached.Loader, Loader):
        sources = ("django.template.loaders.locmem.Loader", {**PARTIALS, "page.html": source})
        name = f"{loader.__module__}.{loader.__qualname__}"
        engine = Engine(loaders=[(name, [sources])], libraries={"i18n": I18N})
        pages.append(engine.get_template("page.html").render(Context(context)))
    assert pages[0] == pages[1]


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
