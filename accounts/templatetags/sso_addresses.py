"""`{% sso_address "login" %}`: our pages' addresses, whatever the folder is called."""

from django import template

from ..core.app_label import page_address

register = template.Library()
register.simple_tag(page_address, name="sso_address")
