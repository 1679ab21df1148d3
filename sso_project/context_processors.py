"""Template variables for every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts.core.app_label import page_url


def site(request: HttpRequest) -> dict[str, Any]:
    """Return SITE_NAME, SITE_LOGO, which is the path of a static file or "", and LANGUAGES.

    LANGUAGES has the codes to choose from, or none if there is no choice. LANGUAGE_NEXT is the page
    to return to. The URL of the callback has a code, or words of the provider: it is not repeated.
    """
    is_callback = request.path == page_url("callback")
    languages = [code for code, _ in settings.LANGUAGES] if settings.USE_I18N else []
    return {
        "SITE_NAME": settings.SITE_NAME,
        "SITE_LOGO": settings.SITE_LOGO,
        "LANGUAGES": languages if len(languages) > 1 else [],
        "LANGUAGE_NEXT": reverse("home") if is_callback else request.get_full_path(),
    }
