"""The template filter `{{ moment|time_ago }}`: how long ago, the same in every time zone."""

from django import template

from ..core.times import time_ago

register = template.Library()
register.filter("time_ago", time_ago)
