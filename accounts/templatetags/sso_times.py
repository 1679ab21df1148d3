"""The template filters `{{ moment|time_ago }}` and `{{ moment|local_text }}`.

The first one says how long ago, the same in every time zone. The second one is the date and time.
"""

from django import template

from ..core.times import local_text, time_ago

register = template.Library()
register.filter("time_ago", time_ago)
register.filter("local_text", local_text)
