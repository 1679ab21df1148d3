"""Template variables for every page."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language_info

from accounts.core.app_label import page_url

_logo_url = cache(static)


def site(request: HttpRequest) -> dict[str, Any]:
    """Return SITE_NAME, SITE_LOGO, which is the URL of an image or "", and LANGUAGES.

    LANGUAGES has the codes to choose from and their own names, or is empty if there is no choice.
    LANGUAGE_NEXT is the page to return to. The URL of the callback has a code, or words of the
    provider: it is not repeated.
    """
    is_callback = request.path == page_url("callback")
    has_choice = settings.USE_I18N and len(settings.LANGUAGES) > 1
    return {
        "SITE_NAME": settings.SITE_NAME,
        "SITE_LOGO": _logo_url(settings.SITE_LOGO) if settings.SITE_LOGO else "",
        "LANGUAGES": _own_names() if has_choice else [],
        "LANGUAGE_NEXT": reverse("home") if is_callback else request.get_full_path(),
    }


@cache
def _own_names() -> list[tuple[str, str]]:
    return [(code, get_language_info(code)["name_local"]) for code, _ in settings.LANGUAGES]
