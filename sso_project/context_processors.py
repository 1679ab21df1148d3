"""What every page knows about the site."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """`SITE_NAME` (str) and `SITE_LOGO` (a static file's path, or empty)."""
    return {"SITE_NAME": settings.SITE_NAME, "SITE_LOGO": settings.SITE_LOGO}
