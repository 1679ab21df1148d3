"""The template filter `{{ user|display_name }}`: how to show a user, of any user model."""

from django import template

from ..models.users import display_name

register = template.Library()
register.filter("display_name", display_name)
