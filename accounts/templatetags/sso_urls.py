"""The tag `{% sso_url "login" %}`: the URL of a page of this app, whatever the app's label is."""

from django import template

from ..core.app_label import page_address

register = template.Library()
register.simple_tag(page_address, name="sso_url")
