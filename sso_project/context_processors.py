"""Template variables for every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Return SITE_NAME, SITE_LOGO, which is the path of a static file or "", and LANGUAGES.

    LANGUAGES has the codes to choose from, or none if there is no choice.
    """
    languages = [code for code, _ in settings.LANGUAGES] if settings.USE_I18N else []
    return {
        "SITE_NAME": settings.SITE_NAME,
        "SITE_LOGO": settings.SITE_LOGO,
        "LANGUAGES": languages if len(languages) > 1 else [],
    }
