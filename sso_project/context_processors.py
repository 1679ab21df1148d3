"""Template variables for every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Return SITE_NAME and SITE_LOGO, the path of a static file or ""."""
    return {"SITE_NAME": settings.SITE_NAME, "SITE_LOGO": settings.SITE_LOGO}
