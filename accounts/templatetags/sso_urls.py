"""The template tag `{% sso_url "login" %}`: the URL of a page of this app, with any app label."""

from django import template

from ..core.app_label import page_url

register = template.Library()
register.simple_tag(page_url, name="sso_url")
