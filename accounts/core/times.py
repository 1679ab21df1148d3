"""Times as the database stores them: aware, or naive in TIME_ZONE if USE_TZ is False."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache, partial
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import get_language, npgettext_lazy
from django.utils.translation import gettext as _

# Django's own are for other places in a sentence: German says "2 Tage", but "vor 2 Tagen".
_AGO: Any = {
    "year": npgettext_lazy("ago", "%(num)d year", "%(num)d years", "num"),
    "month": npgettext_lazy("ago", "%(num)d month", "%(num)d months", "num"),
    "week": npgettext_lazy("ago", "%(num)d week", "%(num)d weeks", "num"),
    "day": npgettext_lazy("ago", "%(num)d day", "%(num)d days", "num"),
    "hour": npgettext_lazy("ago", "%(num)d hour", "%(num)d hours", "num"),
    "minute": npgettext_lazy("ago", "%(num)d minute", "%(num)d minutes", "num"),
}


def from_timestamp(seconds: float) -> datetime:
    """Return the time of this Unix time, comparable with `timezone.now()`."""
    return to_site_time(datetime.fromtimestamp(seconds, UTC))


def to_site_time(aware: datetime) -> datetime:
    """Return an aware time, comparable with `timezone.now()`."""
    # Without USE_TZ, `timezone.now()` is in the time zone of the process, which Django sets.
    return aware if settings.USE_TZ else aware.astimezone().replace(tzinfo=None)


def to_utc(stored: datetime) -> datetime:
    """Return a stored time as an aware time in UTC."""
    return stored.astimezone(UTC)  # a naive time is in the time zone of the process


def local_time(stored: datetime) -> datetime:
    """Return a stored time in the current time zone. A naive time is in TIME_ZONE already."""
    return stored if timezone.is_naive(stored) else timezone.localtime(stored)


def local_text(stored: datetime, format_name: str = "DATETIME_FORMAT") -> str:
    """Return a stored time in the current time zone and language."""
    return local_formatter(format_name)(stored)


def local_formatter(format_name: str = "DATETIME_FORMAT") -> Callable[[datetime], str]:
    """Return `local_text` for the many times of one list, in the current time zone and language."""
    return partial(_local_text, format_name, timezone.get_current_timezone(), get_language())


@lru_cache(maxsize=4096)  # a list shows the same times again and again
def _local_text(format_name: str, zone: tzinfo, language: str | None, stored: datetime) -> str:
    return date_format(local_time(stored), format_name)


def time_ago(moment: datetime) -> str:
    """Return a `time` element such as "5 minutes ago". Its title is the exact time."""
    shown = local_time(moment)
    is_now = timezone.now() - moment < timedelta(minutes=1)
    ago = (
        _("just now")
        if is_now
        else _("%(time)s ago") % {"time": timesince(moment, depth=1, time_strings=_AGO)}
    )
    exact = f"{local_text(moment)}{shown::%S %Z}".strip()
    return format_html('<time datetime="{}" title="{}">{}</time>', shown.isoformat(), exact, ago)
