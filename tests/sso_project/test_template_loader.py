"""Tags with a constant result are replaced when a template is loaded, once per language."""

import pytest
from django.template import engines
from django.template.loader import get_template
from django.utils import translation
from django.utils.html import format_html

from sso_project.form_renderer import FormRenderer
from sso_project.template_loader import replace_constants

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
    ],
)
def test_other_tag_stays(tag):
    assert replace_constants(tag) == tag


def test_template_is_compiled_once_per_language():
    with translation.override("en"):
        english = get_template("_header.html").template
        assert get_template("_header.html").template is english
    with translation.override("de"):
        assert get_template("_header.html").template is not english


HOSTILE = '"><script>alert(1)</script>'


def test_input_is_rendered_as_django_does():
    widget = {"type": "text", "name": "n", "value": HOSTILE}
    widget["attrs"] = {"a": HOSTILE, "b": True, "c": False, "d": format_html("{}", "<")}
    context = {"widget": {**widget, "template_name": "django/forms/widgets/text.html"}}
    name = "django/forms/widgets/text.html"
    expected = super(FormRenderer, FormRenderer()).render(name, context)
    assert FormRenderer().render(name, context) == expected
    assert "<script>" not in expected
